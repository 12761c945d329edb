"""union-intersection: unions that share one member; fields that are an object in one subgraph and a union in the other."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour

SONG = {"__typename": "Song", "id": "s1", "title": "Song Title", "aTitle": "A: Song Title"}
MOVIE = {"__typename": "Movie", "id": "m1", "title": "A Movie Title", "bTitle": "B Movie Title"}


def behaviour(data: dict[str, Any]) -> Behaviour:
    book = data["media"]
    viewer = {"media": book, "aMedia": book, "bMedia": MOVIE, "book": book, "song": SONG}
    return Behaviour(
        records={"Book": [book], "Song": [SONG], "Movie": [MOVIE]},
        resolvers={
            "*": {
                "Query.media": lambda _: book,
                "Query.aMedia": lambda _: book,
                "Query.bMedia": lambda _: MOVIE,
                "Query.book": lambda _: book,
                "Query.song": lambda _: SONG,
                "Query.viewer": lambda _: viewer,
            }
        },
    )
