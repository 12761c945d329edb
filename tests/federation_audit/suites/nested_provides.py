"""nested-provides: a field that its own subgraph answers only on the path that provides it."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    return Behaviour(
        records={"Product": data["products"], "Category": data["categories"]},
        resolvers={
            "category": {
                "Query.products": lambda _: data["products"],
                "Category.name": lambda category: category["name"] if category.is_provided("name") else None,
            }
        },
    )
