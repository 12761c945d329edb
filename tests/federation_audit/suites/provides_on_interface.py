"""provides-on-interface: `@provides` through interfaces, from a subgraph in which nothing is an entity."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    animals, medias = data["animals"], data["medias"]
    return Behaviour(
        records={
            "Animal": animals,
            "Dog": [animal for animal in animals if animal["__typename"] == "Dog"],
            "Cat": [animal for animal in animals if animal["__typename"] == "Cat"],
            "Book": medias,
        },
        resolvers={
            "a": {"Query.media": lambda _: medias[0], "Query.book": lambda _: medias[0]},
            "b": {"Query.media": lambda _: medias[0]},
        },
    )
