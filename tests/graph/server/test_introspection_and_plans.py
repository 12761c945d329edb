"""What an operator shows of the schema and of plans, and what the schema shows of itself."""

from typing import Any

import httpx
import pytest
import strawberry
from graphql import build_schema, get_introspection_query

from graph.auth.authenticate import Authenticator, Everybody
from graph.auth.claims import anonymous
from graph.composing import composed
from graph.composition import SubgraphSDL
from graph.config import Settings
from graph.contracts import Principal
from graph.engine import Federation, Surroundings, build_application
from graph.executor.transports.in_process import InProcessTransport
from graph.supergraph import read_supergraph

SDL = """
scalar Instant @specifiedBy(url: "https://specs.example/instant")
input Place @oneOf { id: ID  point: String }
enum Level { LOW  HIGH @deprecated(reason: "too loud") }
input Filter { name: String  old: String @deprecated(reason: "use name") }
type Query {
  at(place: Place!): String
  any(place: Place): String
  now: Instant
  before(filter: Filter, level: Level, since: Int @deprecated(reason: "use now")): String @deprecated(reason: "use now")
}
"""


def _client(settings: Settings, authenticator: Authenticator) -> httpx.AsyncClient:
    schema = build_schema(SDL)
    assert schema.query_type is not None
    schema.query_type.fields["at"].resolve = lambda _source, _info, place: str(sorted(place.items()))
    federation = Federation(composed([SubgraphSDL("one", None, SDL)]), {"one": InProcessTransport(schema, lambda context: context)})
    application = build_application(settings, federation, Surroundings("a test", authenticator))
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1:4000")


async def _ask(query: str, settings: Settings | None = None, principal: Principal | None = None, **request: Any) -> Any:
    headers = request.pop("headers", {})
    async with _client(settings or Settings(), Everybody(principal or anonymous("T"))) as client:
        return (await client.post("/graphql", json={"query": query, **request}, headers=headers)).json()


OFF = Settings(introspection=False)


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "query { ...A } fragment A on Query { s: __schema { queryType { name } } }",
        get_introspection_query(),
    ],
)
async def test_introspection_when_switched_off_then_refused_with_its_code(query: str) -> None:
    answer = await _ask(query, OFF)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTROSPECTION_DISABLED"]
    assert "data" not in answer


async def test_introspection_when_switched_off_then_typename_is_answered_and_nothing_is_suggested() -> None:
    typename = await _ask("{ __typename }", OFF)
    wrong = await _ask("{ nov }", OFF)
    suggested = await _ask("{ nov }")

    assert typename == {"data": {"__typename": "Query"}}
    assert wrong["errors"][0]["message"] == "Cannot query field 'nov' on type 'Query'."
    assert "Did you mean 'now'?" in suggested["errors"][0]["message"]


async def test_one_of_when_strawberry_has_replaced_its_resolver_then_is_told_all_the_same() -> None:
    """Its schemas write into graphql-core's one `__Type`; a city's slices are such schemas."""

    @strawberry.type
    class Query:
        now: int

    strawberry.Schema(Query)

    answer = await _ask('{ place: __type(name: "Place") { isOneOf } filter: __type(name: "Filter") { isOneOf } }')

    assert answer == {"data": {"place": {"isOneOf": True}, "filter": {"isOneOf": False}}}


async def test_introspection_when_asked_then_deprecations_specifications_and_one_of_are_told() -> None:
    query = """{
      place: __type(name: "Place") { isOneOf }
      filter: __type(name: "Filter") { isOneOf  inputFields(includeDeprecated: true) { name deprecationReason } }
      instant: __type(name: "Instant") { specifiedByURL }
      level: __type(name: "Level") { enumValues { name }  all: enumValues(includeDeprecated: true) { name isDeprecated deprecationReason } }
      query: __type(name: "Query") { fields(includeDeprecated: true) {
        name deprecationReason args(includeDeprecated: true) { name isDeprecated }
      } }
    }"""

    answer = await _ask(query)

    assert answer == {
        "data": {
            "place": {"isOneOf": True},
            "filter": {
                "isOneOf": False,
                "inputFields": [{"name": "name", "deprecationReason": None}, {"name": "old", "deprecationReason": "use name"}],
            },
            "instant": {"specifiedByURL": "https://specs.example/instant"},
            "level": {
                "enumValues": [{"name": "LOW"}],
                "all": [
                    {"name": "LOW", "isDeprecated": False, "deprecationReason": None},
                    {"name": "HIGH", "isDeprecated": True, "deprecationReason": "too loud"},
                ],
            },
            "query": {
                "fields": [
                    {"name": "at", "deprecationReason": None, "args": [{"name": "place", "isDeprecated": False}]},
                    {"name": "any", "deprecationReason": None, "args": [{"name": "place", "isDeprecated": False}]},
                    {"name": "now", "deprecationReason": None, "args": []},
                    {
                        "name": "before",
                        "deprecationReason": "use now",
                        "args": [
                            {"name": "filter", "isDeprecated": False},
                            {"name": "level", "isDeprecated": False},
                            {"name": "since", "isDeprecated": True},
                        ],
                    },
                ]
            },
        }
    }


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ('{ at(place: {id: "1", point: "x"}) }', {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ at(place: {}) }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ at(place: {id: null}) }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID) { at(place: {id: $id}) }", {"id": "1"}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID) { any(place: {id: $id}) }", {"id": "1"}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID) { ...A } fragment A on Query { at(place: {id: $id}) }", {"id": "1"}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($p: Place!) { at(place: $p) }", {"p": {"id": "1", "point": "x"}}, "BAD_USER_INPUT"),
        ("query ($p: Place!) { at(place: $p) }", {"p": {}}, "BAD_USER_INPUT"),
        ("query ($p: Place!) { at(place: $p) }", {"p": {"id": None}}, "BAD_USER_INPUT"),
        ("query ($p: Place!) { at(place: $p) }", {"p": {"id": "1", "point": None}}, "BAD_USER_INPUT"),
    ],
)
async def test_one_of_when_not_exactly_one_is_given_then_refused(query: str, variables: dict[str, Any], code: str) -> None:
    answer = await _ask(query, variables=variables)

    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert "data" not in answer


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ at(place: {id: "1"}) }', {}),
        ("query ($id: ID!) { at(place: {id: $id}) }", {"id": "1"}),
        ("query ($p: Place!) { at(place: $p) }", {"p": {"id": "1"}}),
    ],
)
async def test_one_of_when_exactly_one_is_given_then_the_subgraph_has_it(query: str, variables: dict[str, Any]) -> None:
    assert await _ask(query, variables=variables) == {"data": {"at": "[('id', '1')]"}}


OPERATOR = Principal("olga", "T", roles=frozenset({"operator"}))
CITIZEN = Principal("carl", "T", roles=frozenset({"dt_viewer"}))
SHOWN = Settings(query_plan_roles=("operator",))
ASKED: dict[str, Any] = {"headers": {"citygraph-query-plan": "1"}}
PLAN = {"kind": "QueryPlan", "node": {"kind": "Fetch", "subgraph": "one", "operationKind": "query", "operation": "{ now }"}}


@pytest.mark.parametrize("asked", [ASKED, {"extensions": {"queryPlan": True}}])
async def test_query_plan_when_a_bearer_of_the_role_asks_then_in_the_extensions(asked: dict[str, Any]) -> None:
    answer = await _ask("{ now }", SHOWN, OPERATOR, **asked)

    assert answer == {"data": {"now": None}, "extensions": {"queryPlan": PLAN}}


@pytest.mark.parametrize(
    ("settings", "principal", "asked"),
    [(SHOWN, CITIZEN, ASKED), (SHOWN, OPERATOR, {}), (Settings(), OPERATOR, ASKED), (Settings(), anonymous("T"), ASKED)],
)
async def test_query_plan_when_not_allowed_or_not_asked_for_then_not_shown(
    settings: Settings, principal: Principal, asked: dict[str, Any]
) -> None:
    assert await _ask("{ now }", settings, principal, **asked) == {"data": {"now": None}}


async def test_schema_when_read_from_its_supergraph_text_then_it_still_tells_of_itself() -> None:
    from graph.composition import Composed, compose

    result = compose([SubgraphSDL("one", None, SDL)])
    assert isinstance(result, Composed)

    schema = read_supergraph(result.supergraph_sdl).api_schema

    assert getattr(schema.type_map["Place"], "is_one_of", False)
    assert getattr(schema.type_map["Instant"], "specified_by_url", None) == "https://specs.example/instant"
