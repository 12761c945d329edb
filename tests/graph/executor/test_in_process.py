"""The in-process transport over graphql-core and Strawberry schemas."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSchema
from hand_made import CONTEXT, entities, plan, root, run, select, subgraph

from graph.contracts import UNCHANGED, RequestContext, SubgraphRequest
from graph.errors import BadUserInput, NotFound
from graph.executor.transports.in_process import InProcessTransport


@dataclass(frozen=True)
class Around:
    request: RequestContext


def raising(error: Exception) -> Callable[..., Any]:
    def resolve(*_: Any) -> Any:
        raise error

    return resolve


def transport(schema: GraphQLSchema, **options: Any) -> InProcessTransport:
    return InProcessTransport(schema, Around, **options)


async def test_resolvers_get_the_context_that_the_factory_makes_of_the_request() -> None:
    schema = subgraph("type Query { who: String }", {"who": lambda _root, info: info.context.request.principal.subject})

    response = await transport(schema).execute(SubgraphRequest("{ who }", {}), CONTEXT)

    assert (response.data, response.errors) == ({"who": "ada"}, [])


async def test_an_error_of_our_own_keeps_code_detail_extensions_and_path() -> None:
    schema = subgraph("type Query { a: String }", {"a": raising(NotFound("no such thing", extensions={"id": "7"}))})

    response = await transport(schema).execute(SubgraphRequest("{ b: a }", {}), CONTEXT)

    assert response.data == {"b": None}
    assert response.errors == [{"message": "no such thing", "extensions": {"id": "7", "code": "NOT_FOUND"}, "path": ["b"]}]


async def test_any_other_exception_is_logged_and_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    schema = subgraph("type Query { a: String }", {"a": raising(RuntimeError("password=1"))})

    response = await transport(schema).execute(SubgraphRequest("{ a }", {}), CONTEXT)

    assert response.errors == [{"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}, "path": ["a"]}]
    assert "password=1" in caplog.text
    assert "request-1" in caplog.text


async def test_a_graphql_error_of_a_resolver_keeps_its_own_code() -> None:
    schema = subgraph("type Query { a: String }", {"a": raising(GraphQLError("busy", extensions={"code": "BUSY"}))})

    response = await transport(schema).execute(SubgraphRequest("{ a }", {}), CONTEXT)

    assert response.errors == [{"message": "busy", "extensions": {"code": "BUSY"}, "path": ["a"]}]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ a(box: 5) }", {}),
        ("query($b: Box) { a(box: $b) }", {"b": 5}),
        ("{ a(n: 99999999999) }", {}),
        ("query($n: Int) { a(n: $n) }", {"n": "x"}),
    ],
)
async def test_an_input_that_a_subgraph_cannot_read_is_the_users_fault(document: str, variables: dict[str, Any]) -> None:
    schema = subgraph("scalar Box type Query { a(box: Box, n: Int): String }", {"a": lambda *_args, **_named: "ok"})

    def refuse(value: object) -> object:
        raise BadUserInput(f"{value!r} is not a box")

    schema.type_map["Box"].coerce_input_value = refuse  # type: ignore[union-attr]

    response = await transport(schema).execute(SubgraphRequest(document, variables), CONTEXT)

    assert [error["extensions"]["code"] for error in response.errors] == ["BAD_USER_INPUT"]


async def test_documents_are_parsed_once_and_forgotten_in_order() -> None:
    schema = subgraph("type Query { a: Int }", {"a": lambda *_: 1})
    client = transport(schema, parsed_documents=2)

    for document in ["{ a }", "{ b: a }", "{ a }", "{ c: a }"]:
        await client.execute(SubgraphRequest(document, {}), CONTEXT)

    assert list(client._parsed) == ["{ a }", "{ c: a }"]


@strawberry.federation.type(keys=["id"])
class Product:
    id: strawberry.ID
    stock: int

    @classmethod
    async def resolve_reference(cls, id: strawberry.ID) -> "Product":
        return cls(id=id, stock=int(id) * 10)


@strawberry.type
class Query:
    @strawberry.field
    def products(self) -> list[Product]:
        return [Product(id=strawberry.ID("3"), stock=1)]


async def test_a_strawberry_subgraph_answers_entities_and_cannot_change_what_it_is_sent() -> None:
    client = transport(strawberry.federation.Schema(query=Query)._schema)
    representation = {"__typename": "Product", "id": "4"}
    document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { stock } } }"

    response = await client.execute(SubgraphRequest(document, {"r": [representation]}), CONTEXT)

    assert (response.data, response.errors) == ({"_entities": [{"stock": 40}]}, [])
    assert representation == {"__typename": "Product", "id": "4"}


async def test_a_plan_over_a_strawberry_subgraph_runs() -> None:
    client = transport(strawberry.federation.Schema(query=Query)._schema)
    api = "type Query { products: [Product!]! } type Product { id: ID! stock: Int! }"
    query = plan(
        [select("products", select("stock"))], root("shop", "{ products { __typename id } }"), entities("shop", "stock", "products")
    )

    outcome = await run(api, query, {"shop": client})

    assert (outcome.data, outcome.errors) == ({"products": [{"stock": 30}]}, [])


@pytest.mark.parametrize(("extensions", "copied"), [({}, True), ({UNCHANGED: True}, False)])
async def test_variables_of_custom_scalars_are_copied_unless_the_scalar_says_that_they_stay_unchanged(
    extensions: dict[str, Any], copied: bool
) -> None:
    # given
    got: list[Any] = []
    schema = subgraph("scalar Any type Query { a(given: Any): Int }", {"a": lambda _root, _info, given: got.append(given)})
    schema.type_map["Any"].extensions = extensions
    sent = {"points": [1, {"x": 2}]}
    # when
    await transport(schema).execute(SubgraphRequest("query ($v: Any) { a(given: $v) }", {"v": sent}), CONTEXT)
    # then
    assert got == [sent]
    assert (got[0] is not sent) == copied


async def test_variables_of_inputs_that_hold_custom_scalars_are_copied_however_deep() -> None:
    # given
    got: list[Any] = []
    sdl = "scalar Any input I { below: [I!] any: [Any!] } type Query { a(given: I): Int }"
    schema = subgraph(sdl, {"a": lambda _root, _info, given: got.append(given)})
    sent = {"below": [{"any": [{"x": 1}]}]}
    # when
    await transport(schema).execute(SubgraphRequest("query ($v: I) { a(given: $v) }", {"v": sent}), CONTEXT)
    # then
    assert got == [sent]
    assert got[0]["below"][0]["any"][0] is not sent["below"][0]["any"][0]  # type: ignore[index]
