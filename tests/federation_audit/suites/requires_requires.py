"""requires-requires: what is computed is required again, three subgraphs deep, from a price that is not public."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    return Behaviour(
        records={"Product": data["products"]},
        resolvers={
            "b": {"Query.product": lambda _: data["products"][0]},
            "c": {
                "Product.isExpensive": lambda product: product.inputs["price"] > 500,
                "Product.isExpensiveWithDiscount": lambda product: not product.inputs["hasDiscount"],
            },
            "d": {
                "Product.canAfford": lambda product: not product.inputs["isExpensive"],
                "Product.canAffordWithDiscount": lambda product: not product.inputs["isExpensiveWithDiscount"],
            },
        },
    )
