"""null-keys: the subgraph between two others does not know one of the books, so that there is no key to go on with."""

from typing import Any

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    books = data["books"]

    def known(representation: Record) -> Record | None:
        found = (book for book in books if all(representation.get(key, book[key]) == book[key] for key in ("id", "upc")))
        return next((book for book in found if book["upc"] != "b3"), None)

    return Behaviour(
        records={"Book": books},
        resolvers={"a": {"Query.bookContainers": lambda _: [{"book": book} for book in books]}},
        references={"b": {"Book": known}},
    )
