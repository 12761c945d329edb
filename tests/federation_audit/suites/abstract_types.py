"""abstract-types: interfaces and a union whose members differ between seven subgraphs; computed fields on both products."""

from typing import Any

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour, Source


def behaviour(data: dict[str, Any]) -> Behaviour:
    products, users, reviews = data["products"], data["users"], data["reviews"]

    def created_by(product: Source) -> Record:
        user: Record = next(user for user in users if user["id"] == product["createdBy"])
        return user

    def created(user: Source) -> int:
        return sum(product["createdBy"] == user["id"] for product in products)

    def others(product: Record | Source) -> list[Record]:
        return [one for one in products if one["__typename"] == product["__typename"] and one["id"] != product["id"]]

    def similar(_: Source, id: str) -> list[Record]:
        return [one for product in products if product["id"] == id for one in others(product)]

    def reviews_of(*ids: str) -> list[Record]:
        return [review for review in reviews if review["productId"] in ids]

    def score(product: Source) -> float:
        scores = [review["score"] for review in reviews_of(product["id"])]
        return sum(scores) / len(scores) if scores else 0.0

    def reviewed(review: Source) -> Record:
        product: Record = next(product for product in products if product["id"] == review["productId"])
        return product

    review_fields = {
        "reviewsCount": lambda product: len(reviews_of(product["id"])),
        "reviewsScore": score,
        "reviews": lambda product: reviews_of(product["id"]),
        "reviewsOfSimilar": lambda product: reviews_of(*(one["id"] for one in product.inputs["similar"])),
    }
    product_fields = {"createdBy": created_by, "similar": others, "publisherType": lambda product: product["publisher"]}
    delivery = {"delivery": lambda _, zip=None: {"fastestDelivery": "same day", "estimatedDelivery": "1 day"}}
    return Behaviour(
        records={"Book": data["books"], "Magazine": data["magazines"], "Agency": data["agencies"], "User": users},
        resolvers={
            "*": {"User.totalProductsCreated": created},
            "books": {"Query.books": lambda _: data["books"]},
            "inventory": _of_both(delivery),
            "magazines": {"Query.magazines": lambda _: data["magazines"]},
            "products": {"Query.products": lambda _: products, "Query.similar": similar, **_of_both(product_fields)},
            "reviews": {
                "Query.review": lambda _, id: next((review for review in reviews if review["id"] == id), None),
                "Review.product": reviewed,
                **_of_both(review_fields),
            },
        },
    )


def _of_both(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"{product}.{name}": resolver for product in ("Book", "Magazine") for name, resolver in fields.items()}
