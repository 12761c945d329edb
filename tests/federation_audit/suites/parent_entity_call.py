"""parent-entity-call: a type without a key in one subgraph, reached through the entity above it."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    categories = {category["id"]: category for category in data["categories"]}
    products = [{**product, "category": categories[product["categoryId"]]} for product in data["products"]]
    return Behaviour(
        records={"Product": products, "Category": data["categories"]},
        resolvers={"a": {"Query.products": lambda _: products}},
    )
