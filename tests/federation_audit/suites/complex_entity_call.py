"""complex-entity-call: a list that is an entity by the keys of its items, and one subgraph that cannot be reached by the short key."""

from typing import Any

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    categories = {category["id"]: category for category in data["categories"]}
    products = [{**product, "category": categories[product["categoryId"]]} for product in data["products"]]

    def product_list(representation: Record) -> Record:
        ids = [product["id"] for product in representation["products"]]
        found = [product for product in products if product["id"] in ids]
        return {"products": found, "first": found[0], "selected": found[1]}

    return Behaviour(
        records={"Product": products, "Category": data["categories"]},
        resolvers={
            "products": {"Query.topProducts": lambda _: {"products": products}},
            "price": {"Product.price": lambda product: {"price": product["price"]}},
        },
        references={"*": {"ProductList": product_list}},
    )
