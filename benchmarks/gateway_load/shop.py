"""The shop: four subgraphs' schemas, the operation, the data, and the answer that is right.

The shape is the public federation benchmark's: users and products, asked through their reviews down to a second generation, an answer of
some 88 kB. The answer is made here by loops, not by any GraphQL library, so that it can judge all of them.
"""

from dataclasses import dataclass
from typing import Any

LINK = """extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@provides", "@shareable"])
"""
SUBGRAPHS = {
    "accounts": """
        type Query { users: [User] }
        type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: Int }
    """,
    "inventory": """
        type Product @key(fields: "upc") {
          upc: String!
          weight: Int @external
          price: Int @external
          inStock: Boolean
          shippingEstimate: Int @requires(fields: "price weight")
        }
    """,
    "products": """
        type Query { topProducts(first: Int = 5): [Product] }
        type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }
    """,
    "reviews": """
        type Review @key(fields: "id") { id: ID! body: String product: Product author: User @provides(fields: "username") }
        type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
        type Product @key(fields: "upc") { upc: String! reviews: [Review] }
    """,
}
ENTITIES = {"accounts": ("User",), "inventory": ("Product",), "products": ("Product",), "reviews": ("Review", "User", "Product")}

QUERY = """
fragment Person on User { id username name }
fragment Words on Review { id body }
fragment Ware on Product { upc name price weight inStock shippingEstimate }
fragment Written on Review { ...Words author { ...Person reviews { ...Words product { ...Ware } } } }
query Shop {
  users { ...Person reviews { ...Words product { ...Ware reviews { ...Written } } } }
  topProducts { ...Ware reviews { ...Written } }
}
"""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    username: str


@dataclass(frozen=True, slots=True)
class Ware:
    upc: str
    name: str
    price: int
    weight: int
    in_stock: bool


@dataclass(frozen=True, slots=True)
class Words:
    id: str
    body: str
    upc: str


_TEXT = "It came on a rainy Tuesday, well packed, and it has done what it was bought for ever since. " * 10
_LENGTHS = (445, 289, 275, 143, 445, 289, 275, 143, 143, 143, 844)
_REVIEWED = ("1", "1", "1", "1", "2", "2", "2", "2", "3", "4", "4")
_WARES = (
    ("Table", 899, 100, True),
    ("Couch", 1299, 1000, False),
    ("Glass", 15, 20, False),
    ("Chair", 499, 100, False),
    ("Stove", 1299, 1000, True),
    ("Lamp", 6999, 300, True),
    ("Grill", 3999, 2000, True),
    ("Fridge", 100000, 6000, False),
    ("Sofa", 9999, 800, True),
)

PEOPLE = tuple(
    Person(str(i), f"{name} Benchmark", name.lower()) for i, name in enumerate(("Ada", "Boris", "Chiara", "Dag", "Eila", "Finn"), 1)
)
WARES = {str(i): Ware(str(i), *ware) for i, ware in enumerate(_WARES, 1)}
REVIEWS = tuple(Words(str(i), _TEXT[i : i + n], upc) for i, (n, upc) in enumerate(zip(_LENGTHS, _REVIEWED, strict=True), 1))
TOP = 5


def written_by(_person: str) -> tuple[Words, ...]:
    """Everybody wrote the same two, which is what the public benchmark's data has."""
    return REVIEWS[:2]


def written_of(upc: str) -> tuple[Words, ...]:
    return tuple(review for review in REVIEWS if review.upc == upc)


def author_of(_review: Words) -> Person:
    return PEOPLE[0]


def shipping(price: int, weight: int) -> int:
    return price // 100 + weight // 10


def right_answer() -> dict[str, Any]:
    """What `QUERY` must give, as the `data` of the answer."""

    def ware(upc: str) -> dict[str, Any]:
        one = WARES[upc]
        known = {"upc": upc, "name": one.name, "price": one.price, "weight": one.weight}
        return {**known, "inStock": one.in_stock, "shippingEstimate": shipping(one.price, one.weight)}

    def person(one: Person) -> dict[str, Any]:
        return {"id": one.id, "username": one.username, "name": one.name}

    def words(one: Words) -> dict[str, Any]:
        return {"id": one.id, "body": one.body}

    def written(upc: str) -> list[dict[str, Any]]:
        return [{**words(review), "author": author(author_of(review))} for review in written_of(upc)]

    def author(one: Person) -> dict[str, Any]:
        return {**person(one), "reviews": [{**words(review), "product": ware(review.upc)} for review in written_by(one.id)]}

    def user(one: Person) -> dict[str, Any]:
        reviews = [{**words(r), "product": {**ware(r.upc), "reviews": written(r.upc)}} for r in written_by(one.id)]
        return {**person(one), "reviews": reviews}

    top = [{**ware(upc), "reviews": written(upc)} for upc in list(WARES)[:TOP]]
    return {"users": [user(one) for one in PEOPLE], "topProducts": top}
