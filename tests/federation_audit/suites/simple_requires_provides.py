"""simple-requires-provides: a shop in four subgraphs; one field is computed, one is provided."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour, Source


def behaviour(data: dict[str, Any]) -> Behaviour:
    users, products, reviews = data["users"], data["products"], data["reviews"]

    def estimate(product: Source) -> int:
        found: int = product.inputs["price"] * product.inputs["weight"] * 10
        return found

    return Behaviour(
        records={"User": users, "Product": products, "Review": reviews},
        resolvers={
            "accounts": {"Query.me": lambda _: users[0]},
            "inventory": {
                "Product.inStock": lambda product: product["upc"] in data["inStock"],
                "Product.shippingEstimate": estimate,
                "Product.shippingEstimateTag": lambda product: f"#{product['upc']}#{estimate(product)}#",
            },
            "products": {"Query.products": lambda _: products},
            "reviews": {
                "Review.author": lambda review: review["authorId"],
                "Review.product": lambda review: next(product for product in products if product["upc"] == review["productUpc"]),
                "User.reviews": lambda user: [review for review in reviews if review["authorId"] == user["id"]],
                "Product.reviews": lambda product: [review for review in reviews if review["productUpc"] == product["upc"]],
            },
        },
    )
