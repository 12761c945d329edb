"""Introspection keeps its selections, so that the executor can answer them; no subgraph is asked for them."""

from graphql import get_introspection_query, parse

from graph.composition import Composed, SubgraphSDL, compose
from graph.planner import Planner
from graph.planner.normalize.operation import Field
from graph.supergraph import read_supergraph


def _planner() -> Planner:
    composed = compose([SubgraphSDL("one", None, "type Query { a: Int }")])
    assert isinstance(composed, Composed)
    return Planner(read_supergraph(composed.supergraph_sdl))


def test_introspection_when_planned_beside_a_field_then_its_selections_stay_and_nobody_is_asked() -> None:
    plan = _planner().plan(parse('{ __schema { ...S } __type(name: "Query") { kind } a } fragment S on __Schema { queryType { name } }'))

    schema, kind, _ = plan.operation.selections
    assert isinstance(schema, Field)
    assert isinstance(kind, Field)
    (query_type,) = schema.selections
    assert isinstance(query_type, Field)
    assert [one.name for one in query_type.selections if isinstance(one, Field)] == ["name"]
    assert kind.arguments == (("name", '"Query"'),)
    assert [fetch.document for fetch in plan.fetches] == ["{ a }"]


def test_introspection_when_asked_whole_then_there_is_nothing_to_fetch() -> None:
    assert _planner().plan(parse(get_introspection_query())).fetches == ()
