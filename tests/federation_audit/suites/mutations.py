"""mutations: the subgraphs share state, so that an order of effects other than the client's, or a second effect, is seen."""

from typing import Any

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour


class _State:
    """Numbers and categories by the client's `requestId`; products as they were added."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.products: list[Record] = [{"id": "p1", "name": "p1-name", "price": 9.99}]
        self.categories: list[Record] = []

    def add_product(self, _: object, input: dict[str, Any]) -> Record:
        self.products.append({"id": f"p-added-{len(self.products)}", **input})
        return self.products[-1]

    def add_category(self, _: object, name: str, requestId: str) -> Record:  # noqa: N803 (the argument's name in the SDL)
        identifier = f"c-added-{requestId}"
        assert all(category["id"] != identifier for category in self.categories), "one request adds one category"
        self.categories.append({"id": identifier, "name": name})
        return self.categories[-1]

    def add(self, _: object, num: int, requestId: str) -> int:  # noqa: N803
        self.numbers[requestId] = self.numbers.get(requestId, 0) + num
        return self.numbers[requestId]

    def multiply(self, _: object, by: int, requestId: str) -> int:  # noqa: N803
        self.numbers[requestId] *= by
        return self.numbers[requestId]

    def delete(self, _: object, requestId: str) -> int:  # noqa: N803
        return self.numbers.pop(requestId)


def behaviour(_: dict[str, Any]) -> Behaviour:
    state = _State()
    return Behaviour(
        records={"Product": state.products, "Category": state.categories},
        resolvers={
            "a": {
                "Mutation.addProduct": state.add_product,
                "Mutation.addCategory": state.add_category,
                "Mutation.multiply": state.multiply,
                "Query.product": lambda _, id: next(product for product in state.products if product["id"] == id),
                "Query.products": lambda _: state.products,
            },
            "b": {
                "Mutation.delete": state.delete,
                "Mutation.addCategory": state.add_category,
                "Product.isExpensive": lambda product: product.inputs["price"] > 100,
                "Product.isAvailable": lambda _: True,
            },
            "c": {"Mutation.add": state.add},
        },
    )
