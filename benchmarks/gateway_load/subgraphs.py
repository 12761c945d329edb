"""The shop's four subgraphs on one port, cheap enough to stand behind any gateway: `python -m gateway_load.subgraphs`.

A body that is new is executed by graphql-core; the HTTP response to it is then remembered whole, so that a body that came before costs
one lookup. `GET /requests` tells how many requests there were since it was asked last. The port is printed on stdout.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, cast

import httptools
import orjson
import uvloop
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate

from gateway_load import shop

REMEMBERED = 1000
_MACHINERY = """
    directive @key(fields: String!) repeatable on OBJECT
    directive @requires(fields: String!) on FIELD_DEFINITION
    directive @provides(fields: String!) on FIELD_DEFINITION
    directive @external on FIELD_DEFINITION
    directive @shareable on FIELD_DEFINITION
    scalar _Any
"""
Record = dict[str, Any]


def executable(name: str) -> GraphQLSchema:
    sdl = shop.SUBGRAPHS[name]
    query = ("extend " if "type Query" in sdl else "") + "type Query { _entities(representations: [_Any!]!): [_Entity]! }"
    return build_schema(f"{_MACHINERY} {sdl} {query} union _Entity = {' | '.join(shop.ENTITIES[name])}", assume_valid_sdl=True)


def account(person: shop.Person) -> Record:
    return {"__typename": "User", "id": person.id, "name": person.name, "username": person.username, "birthday": 0}


def product(ware: shop.Ware) -> Record:
    return {"__typename": "Product", "upc": ware.upc, "name": ware.name, "price": ware.price, "weight": ware.weight}


def stock(key: Mapping[str, Any]) -> Record:
    """The estimate is made of what the gateway sent, so a gateway that does not send it has a wrong answer."""
    price, weight = key.get("price"), key.get("weight")
    estimate = None if price is None or weight is None else shop.shipping(price, weight)
    return {"__typename": "Product", "upc": key["upc"], "inStock": shop.WARES[key["upc"]].in_stock, "shippingEstimate": estimate}


def review(words: shop.Words) -> Record:
    author = shop.author_of(words)
    return {
        "__typename": "Review",
        "id": words.id,
        "body": words.body,
        "product": lambda _info: reviewed({"__typename": "Product", "upc": words.upc}),
        "author": lambda _info: {**reviewed({"__typename": "User", "id": author.id}), "username": author.username},
    }


def reviewed(key: Mapping[str, Any]) -> Record:
    """An entity of the subgraph `reviews`, by its key."""
    kind = key["__typename"]
    if kind == "Review":
        return review(next(words for words in shop.REVIEWS if words.id == key["id"]))
    found = shop.written_by(key["id"]) if kind == "User" else shop.written_of(key["upc"])
    return {**key, "reviews": lambda _info: [review(words) for words in found]}


ENTITY: dict[str, Callable[[Mapping[str, Any]], Record]] = {
    "accounts": lambda key: account(next(person for person in shop.PEOPLE if person.id == key["id"])),
    "inventory": stock,
    "products": lambda key: product(shop.WARES[key["upc"]]),
    "reviews": reviewed,
}
ROOT: dict[str, Record] = {
    "accounts": {"users": [account(person) for person in shop.PEOPLE]},
    "products": {"topProducts": lambda _info, first: [product(ware) for ware in list(shop.WARES.values())[:first]]},
}


class Subgraphs:
    """Answers by path and body."""

    def __init__(self) -> None:
        self._schemas = {name: executable(name) for name in shop.SUBGRAPHS}
        self._responses: dict[tuple[str, bytes], bytes] = {}
        self._requests: Counter[str] = Counter()

    def respond(self, path: str, body: bytes) -> bytes:
        name = path.strip("/")
        if name == "requests":
            counted, self._requests = dict(self._requests), Counter()
            return _response(200, orjson.dumps(counted))
        self._requests[name] += 1
        response = self._responses.get((name, body))
        if response is None:
            response = self._execute(name, body)
            if len(self._responses) < REMEMBERED:
                self._responses[name, body] = response
        return response

    def _execute(self, name: str, body: bytes) -> bytes:
        schema = self._schemas.get(name)
        if schema is None:
            return _response(404, orjson.dumps({"errors": [{"message": f"no subgraph {name!r}; there are {sorted(self._schemas)}"}]}))
        request = json.loads(body)
        document = parse(request["query"])
        errors = validate(schema, document)
        if errors:
            return _response(200, orjson.dumps({"errors": [error.formatted for error in errors]}))
        entity = ENTITY[name]
        root = {**ROOT.get(name, {}), "_entities": lambda _info, representations: [entity(key) for key in representations]}
        result = execute_sync(schema, document, root, variable_values=request.get("variables"))
        return _response(200, orjson.dumps(result.formatted))


def _response(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, subgraphs: Subgraphs) -> None:
        self._subgraphs = subgraphs
        self._parser = httptools.HttpRequestParser(self)
        self._path, self._body = "", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._path = url.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._transport.write(self._subgraphs.respond(self._path, self._body))
        self._body = b""


async def main() -> None:
    subgraphs = Subgraphs()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(subgraphs), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
