"""What a Python team would have without a gateway: the whole shop as one Strawberry schema over data in memory, on uvicorn.

It has what a careful team would give it: parsed and validated documents are remembered, and answers are encoded by orjson.
Loaded by `uvicorn gateway_load.monolith:app`.
"""

import orjson
import strawberry
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from gateway_load import shop


@strawberry.type
class User:
    id: strawberry.ID
    name: str | None
    username: str | None

    @strawberry.field
    def reviews(self) -> list["Review"]:
        return [Review.of(words) for words in shop.written_by(self.id)]

    @classmethod
    def of(cls, person: shop.Person) -> "User":
        return cls(id=strawberry.ID(person.id), name=person.name, username=person.username)


@strawberry.type
class Product:
    upc: str
    name: str | None
    price: int | None
    weight: int | None
    in_stock: bool | None
    shipping_estimate: int | None

    @strawberry.field
    def reviews(self) -> list["Review"]:
        return [Review.of(words) for words in shop.written_of(self.upc)]

    @classmethod
    def of(cls, ware: shop.Ware) -> "Product":
        return cls(
            upc=ware.upc,
            name=ware.name,
            price=ware.price,
            weight=ware.weight,
            in_stock=ware.in_stock,
            shipping_estimate=shop.shipping(ware.price, ware.weight),
        )


@strawberry.type
class Review:
    id: strawberry.ID
    body: str | None
    words: strawberry.Private[shop.Words]

    @strawberry.field
    def product(self) -> Product | None:
        return Product.of(shop.WARES[self.words.upc])

    @strawberry.field
    def author(self) -> User | None:
        return User.of(shop.author_of(self.words))

    @classmethod
    def of(cls, words: shop.Words) -> "Review":
        return cls(id=strawberry.ID(words.id), body=words.body, words=words)


@strawberry.type
class Query:
    @strawberry.field
    def users(self) -> list[User]:
        return [User.of(person) for person in shop.PEOPLE]

    @strawberry.field
    def top_products(self, first: int = 5) -> list[Product]:
        return [Product.of(ware) for ware in list(shop.WARES.values())[:first]]


class OrjsonGraphQL(GraphQL[None, None]):
    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


app = OrjsonGraphQL(strawberry.Schema(Query, extensions=[lambda: ParserCache(100), lambda: ValidationCache(100)]))
