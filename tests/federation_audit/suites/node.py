"""node: an interface whose implementations have their fields in a subgraph without root fields."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    products = [{"__typename": "Product", **product} for product in data["products"]]
    categories = [{"__typename": "Category", **category} for category in data["categories"]]
    return Behaviour(
        records={"Product": products, "Category": categories},
        resolvers={"node": {"Query.productNode": lambda _: products[0], "Query.categoryNode": lambda _: categories[0]}},
    )
