"""Rights are whole: no field without scopes, no table without a tenant, no pair of role and root field that the page does not have."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

import subgraphs.catalog  # noqa: F401  brings in every slice's tables
from graph.app import city_supergraph
from graph.auth.authenticate import Everybody
from graph.commands.rights import END, coordinates, matrix, rows
from graph.config import Settings
from graph.contracts import Principal, RequestContext
from graph.engine import Federation, Surroundings, build_application
from graph.rights import ROLE_SCOPES, Scope
from graph.server.messages import GraphQLRequest
from graph.server.problems import Trace
from graph.supergraph import Supergraph
from graph.supergraph.demands import NO_DEMAND, SCOPE, words
from resolvers.stores.metadata import metadata

PAGE = Path(__file__).parents[2] / "docs" / "rights.md"
FOR_EVERYBODY = {"Query.viewer", "Query.node", "Query.nodes", "Viewer"}
"""For whoever is known: a viewer is the caller, and `node` asks what the type found asks."""
VALUES = {"PageInfo", "TimeRange", "Rejection"}
"""Several slices share them, so they can have no one scope; every field that answers with one has its own."""
WITHOUT_TENANT = {
    "telemetry_point": "hangs on its series, which has one; every read comes through that",
}


@pytest.fixture(scope="module")
def supergraph() -> Supergraph:
    return city_supergraph()


def _scopes(supergraph: Supergraph, type_name: str, field: str) -> set[str]:
    demands = supergraph.demands
    asked = words(demands.types.get(type_name, NO_DEMAND) | demands.fields.get((type_name, field), NO_DEMAND))
    return {word.removeprefix(SCOPE) for word in asked if word.startswith(SCOPE)}


def _fields(supergraph: Supergraph) -> Iterator[tuple[str, str]]:
    for name, kind in supergraph.api_schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            yield from ((name, field) for field in kind.fields)


def test_fields_when_walked_then_each_has_scopes_of_its_own_or_its_type(supergraph: Supergraph) -> None:
    bare = {
        f"{owner}.{field}"
        for owner, field in _fields(supergraph)
        if owner not in VALUES | FOR_EVERYBODY and f"{owner}.{field}" not in FOR_EVERYBODY and not _scopes(supergraph, owner, field)
    }

    assert bare == set()


def test_fields_when_they_ask_for_no_scope_then_they_ask_for_a_known_caller(supergraph: Supergraph) -> None:
    demands = supergraph.demands

    for coordinate in sorted(FOR_EVERYBODY):
        owner, _, field = coordinate.partition(".")
        asked = demands.fields[owner, field] if field else demands.types[owner]
        assert words(asked) == {"authenticated"}, coordinate


def test_scopes_when_fields_ask_for_them_then_each_is_one_that_a_role_brings(supergraph: Supergraph) -> None:
    """A misspelt scope would be a field that nobody may use."""
    asked = {scope for owner, field in _fields(supergraph) for scope in _scopes(supergraph, owner, field)}

    assert asked <= {scope.value for scope in Scope}


def test_roots_when_a_role_may_use_them_then_something_of_the_answer_can_be_seen(supergraph: Supergraph) -> None:
    """A mutation whose payload its own caller may not read would run and show nothing."""
    demands, types = supergraph.demands, supergraph.types
    for role, allowed in matrix(supergraph, ROLE_SCOPES).items():
        granted = {f"{SCOPE}{one}" for one in ROLE_SCOPES[role]} | {"authenticated"}
        for coordinate in sorted(allowed):
            owner, _, field = coordinate.partition(".")
            below = types.get(types[owner].fields[field].type_name)
            for name in below.possible_types if below and not below.is_abstract else ():
                for one in types[name].fields.values():
                    if one.type.endswith("!"):
                        lacking = [a for a in demands.fields.get((name, one.name), NO_DEMAND) if not any(s <= granted for s in a)]
                        assert not lacking, f"{role} may use {coordinate}, but not {name}.{one.name}, which cannot be null"


def test_tables_when_listed_then_each_has_its_tenant_or_a_reason() -> None:
    without = {table.name for table in metadata.tables.values() if "tenant" not in table.columns}

    assert without == WITHOUT_TENANT.keys()


def test_page_when_held_against_the_gateway_then_it_has_exactly_its_pairs(supergraph: Supergraph) -> None:
    """FC-11, TC-02: the role matrix (ICD §7.2). Made anew by `citygraph rights --page docs/rights.md`."""
    page = PAGE.read_text(encoding="utf-8")
    written = [line for line in page.partition(END)[0].splitlines() if re.match(r"\| `(Query|Mutation|Subscription)\.", line)]

    assert written == list(rows(supergraph))[2:], "run `citygraph rights --page docs/rights.md`"


def test_page_when_held_against_the_code_then_roles_have_exactly_their_scopes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    written = {
        role: set(re.findall(r"`([^`]+)`", scopes)) for role, scopes in re.findall(r"^\| `(\w+)` \| (`\w+:.*) \|$", page, re.MULTILINE)
    }

    assert written == {role: {scope.value for scope in scopes} for role, scopes in ROLE_SCOPES.items()}


@pytest.mark.parametrize("role", [*ROLE_SCOPES, None])
async def test_gateway_when_a_role_asks_each_root_field_then_it_refuses_exactly_what_the_matrix_does(
    supergraph: Supergraph, role: str | None
) -> None:
    """No subgraph is connected, so what is not refused comes to nothing: a 403 is the gateway's own."""
    allowed = matrix(supergraph, [role])[role] if role else {"Query.viewer"}
    principal = Principal("somebody", "T", frozenset({role} if role else ()))
    application = build_application(Settings(), Federation(supergraph, {}), Surroundings("a test", Everybody(principal)))
    wrong = []

    for coordinate in coordinates(supergraph):
        if coordinate.startswith("Subscription."):
            continue  # its protocols have their own tests
        with application.in_service.current as pipeline:
            request = GraphQLRequest(_document(supergraph, coordinate), {})
            answer = await pipeline.answer(request, RequestContext(principal, "r"), Trace("r", "0" * 32))
        assert answer.status in (200, 403), answer.body
        if (answer.status == 403) is (coordinate in allowed):
            wrong.append(coordinate)

    assert wrong == []


def _document(supergraph: Supergraph, coordinate: str) -> str:
    """The field with as little as it takes."""
    owner, _, name = coordinate.partition(".")
    root = supergraph.api_schema.type_map[owner]
    assert isinstance(root, GraphQLObjectType)
    field = root.fields[name]
    needed = [f"{key}: {_literal(one.type)}" for key, one in field.args.items() if is_required_argument(one)]
    arguments = f"({', '.join(needed)})" if needed else ""
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{owner.lower()} {{ {name}{arguments}{below} }}"


def _literal(of_type: GraphQLInputType) -> str:
    nullable = get_nullable_type(of_type)
    if isinstance(nullable, GraphQLList):
        return "[]"
    named = get_named_type(nullable)
    if isinstance(named, GraphQLInputObjectType):
        return "{" + ", ".join(f"{key}: {_literal(one.type)}" for key, one in named.fields.items() if is_required_input_field(one)) + "}"
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    return {"Int": "1", "Float": "1.0", "Boolean": "true", "Timestamp": "1", "Long": "1", "JSONObject": "{}", "JSONPatch": "[]"}.get(
        named.name, '"x"'
    )
