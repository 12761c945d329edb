"""include-skip: requirements under conditions; what is skipped must not be computed at all."""

from typing import Any, NoReturn

from tests.federation_audit.subgraph import Behaviour, Source


def behaviour(data: dict[str, Any]) -> Behaviour:
    def never(_: Source) -> NoReturn:
        raise AssertionError("asked for a field that the client's conditions leave out")

    return Behaviour(
        records={"Product": data["products"]},
        resolvers={
            "a": {"Query.product": lambda _: data["products"][0]},
            "b": {"Product.isExpensive": lambda product: product.inputs["price"] > 500},
            "c": {
                "Product.include": lambda product: product.inputs["isExpensive"],
                "Product.skip": lambda product: product.inputs["isExpensive"],
                "Product.neverCalledInclude": never,
                "Product.neverCalledSkip": never,
            },
        },
    )
