"""requires-with-argument: required fields with arguments, beside the client's own use of the same field with others."""

from typing import Any

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour, Source


def behaviour(data: dict[str, Any]) -> Behaviour:
    comments = data["comments"]

    def in_dollars(amount: int, currency: str) -> int:
        assert currency == "USD"
        return amount

    def comments_of(post: Source, limit: int) -> list[Record]:
        return [comment for comment in comments if comment["postId"] == post["id"]][:limit]

    def author(post: Source) -> Record:
        given = post.inputs["comments"]
        assert len(given) == 3, f"the author is found from three comments, not from {given}"
        found: Record = next(author for author in data["authors"] if author["id"] == given[0]["authorId"])
        return found

    return Behaviour(
        records={"Product": data["products"], "Post": data["posts"], "Comment": comments},
        resolvers={
            "a": {
                "Product.shippingEstimate": lambda product: product.inputs["price"] * product.inputs["weight"] * 10,
                "Product.isExpensiveCategory": lambda product: product.inputs["category"]["averagePrice"] > 11,
            },
            "b": {
                "Query.products": lambda _: data["products"],
                "Product.price": lambda product, currency: in_dollars(product["price"], currency),
                "Category.averagePrice": lambda category, currency: in_dollars(category["averagePrice"], currency),
            },
            "c": {"Query.feed": lambda _: data["posts"]},
            "d": {
                "Post.author": author,
                "Post.comments": comments_of,
                "Comment.date": lambda comment: f"{comment['id']}-date",
            },
        },
    )
