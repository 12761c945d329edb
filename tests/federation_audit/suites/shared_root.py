"""shared-root: a type without keys, which every subgraph answers a part of from its own root field."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    return Behaviour(
        resolvers={"*": {"Query.product": lambda _: data["product"], "Query.products": lambda _: [data["product"]]}},
    )
