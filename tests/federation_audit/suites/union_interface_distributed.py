"""union-interface-distributed: a type that implements an interface in one of two subgraphs only, where the other answers with it."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    products = data["products"]
    return Behaviour(
        records={"Oven": data["ovens"], "Toaster": data["toasters"]},
        resolvers={
            "a": {
                "Query.products": lambda _: products,
                "Query.node": lambda _, id: next((product for product in products if product["id"] == id), None),
                "Query.nodes": lambda _: data["toasters"],
                "Query.toasters": lambda _: data["toasters"],
            }
        },
    )
