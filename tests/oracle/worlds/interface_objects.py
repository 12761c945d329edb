"""Media: interface objects, from the subgraph that knows the types to those that do not and back, with requirements on both sides."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "media": """
type Query { media: [Media!]!  latest: Media  books: [Book] }
interface Media @key(fields: "id") { id: ID!  title: String!  sequel: Media }
type Book implements Media @key(fields: "id") { id: ID!  title: String!  sequel: Media  pages: Int! }
type Movie implements Media @key(fields: "id") { id: ID!  title: String!  sequel: Media  minutes: Int  studio: Studio }
type Album implements Media @key(fields: "id") { id: ID!  title: String!  sequel: Media  tracks: [String!] }
type Studio @key(fields: "id") { id: ID!  name: String! }
""",
    "reviews": """
type Query { topRated(first: Int = 3): [Media!]!  reviews: [Review]  worst: Media }
type Media @key(fields: "id") @interfaceObject { id: ID!  reviews: [Review!]!  rating: Float  rival: Media }
type Review @key(fields: "id") { id: ID!  text: String!  media: Media }
type Studio @key(fields: "id") { id: ID!  fame: Int  best: Media }
""",
    "library": """
type Media @key(fields: "id") @interfaceObject {
  id: ID!
  title: String! @external
  rating: Float @external
  shelf: Shelf!
  signature: String! @requires(fields: "title")
  rank(scale: Int = 10): Int @requires(fields: "rating")
}
type Shelf { number: Int!  media: [Media!]! }
""",
    "print": """
type Book @key(fields: "id") { id: ID!  printer: String  rating: Float @external  reprint: Boolean! @requires(fields: "rating") }
type Review @key(fields: "id") { id: ID!  printed: Book }
""",
}
FOUND = records(
    Book=[
        {"id": "b1", "title": "Ant", "sequel": "m1", "pages": 10, "printer": "P"},
        {"id": "b2", "title": "Bee", "sequel": None, "pages": 20, "printer": None},
    ],
    Movie=[
        {"id": "m1", "title": "Cat", "sequel": "m2", "minutes": 100, "studio": "s1"},
        {"id": "m2", "title": "Dog", "sequel": "a1", "minutes": None, "studio": None},
    ],
    Album=[{"id": "a1", "title": "Elk", "sequel": "b1", "tracks": ["x", "y"]}],
    Review=[
        {"id": "r1", "text": "good", "media": "b1", "printed": "b1"},
        {"id": "r2", "text": "bad", "media": "m1", "printed": None},
        {"id": "r3", "text": "so", "media": None, "printed": "b2"},
    ],
    Studio=[{"id": "s1", "name": "S", "fame": 3, "best": "m2"}],
)
REVIEWED: dict[str, dict[str, Any]] = {
    "b1": {"rating": 4.5, "reviews": ["r1"], "rival": "m1", "shelf": 1},
    "b2": {"rating": None, "reviews": [], "rival": None, "shelf": 2},
    "m1": {"rating": 2.0, "reviews": ["r2", "r1"], "rival": "a1", "shelf": 1},
    "m2": {"rating": 3.0, "reviews": ["r3"], "rival": "m2", "shelf": 2},
    "a1": {"rating": 1.0, "reviews": [], "rival": "b2", "shelf": 2},
}
for of_type in ("Book", "Movie", "Album"):
    for media in FOUND[of_type]:
        number = REVIEWED[media["id"]]["shelf"]
        shelf = {"number": number, "media": [one for one, more in REVIEWED.items() if more["shelf"] == number]}
        media.update(REVIEWED[media["id"]], shelf=shelf)
RECORDS = having(FOUND, Media="Book Movie Album")

WORLD = World(
    "interface_objects",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.media": lambda _: ["b1", "m1", "a1", "b2", "m2"],
                "Query.latest": lambda _: "m1",
                "Query.books": lambda _: ["b2", None, "b1"],
                "Query.topRated": lambda _, first: ["b1", "m2", "m1", "a1"][: abs(first or 0)],
                "Query.worst": lambda _: "a1",
                "Query.reviews": lambda _: ["r1", "r2", None, "r3"],
                "Media.signature": lambda media: f"sig {media.inputs['title']}",
                "Media.rank": lambda media, scale: (
                    None if media.inputs["rating"] is None else int(media.inputs["rating"] * ((scale or 0) % 100))
                ),
                "Book.reprint": lambda book: (book.inputs["rating"] or 0) > 4,
            }
        },
    ),
)
