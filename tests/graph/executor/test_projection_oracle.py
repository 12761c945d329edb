"""The projection against graphql-core: the same data and the same error paths for any operation over any data."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    execute_sync,
    is_abstract_type,
    is_composite_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contracts import OperationKind
from graph.executor.faults import Faults
from graph.executor.projection import Projection
from graph.executor.projection.completion import Hidden
from graph.planner.normalize.operation import Condition, Field, Fragment, Operation, Selection

SCHEMA = build_schema(
    """
    scalar JSON
    enum Colour { RED GREEN }
    interface Node { id: ID! next: Node }
    interface Named implements Node { id: ID! next: Node name: String! }
    union Thing = House | Street
    type House implements Node & Named {
      id: ID! next: Node name: String! storeys: Int! height: Float open: Boolean! colour: Colour colours: [Colour!]
      street: Street! things: [Thing!] grid: [[Int]!] extra: JSON labels: [String!]! weights: [Float]
    }
    type Street implements Node {
      id: ID! next: Node houses: [House!]! first: House length: Float! flags: [Boolean] extra: JSON!
    }
    type Query { house: House street: Street! nodes: [Node] named: Named things: [[Thing!]!] count: Int }
    """
)
WRONG = {
    "String": [{"a": 1}],
    "ID": [1.5, {}],
    "Int": ["abc", 2**40, 1.5],
    "Float": ["abc", []],
    "Boolean": ["x"],
    "Colour": ["NO"],
    "JSON": [],
}
RIGHT = {
    "String": ["", "text"],
    "ID": ["1", 7],
    "Int": [0, -5, 3.0],
    "Float": [1.5, 2],
    "Boolean": [True, False],
    "Colour": ["RED", "GREEN"],
    "JSON": [{"a": [None]}, 1, "x"],
}
CONDITIONS = st.sampled_from([frozenset(), frozenset(), frozenset({Condition("a", True)}), frozenset({Condition("b", False)})])


def composites(type_name: str) -> list[Any]:
    """The types that a fragment inside this type may narrow to."""
    own = SCHEMA.type_map[type_name]
    possible = SCHEMA.get_possible_types(own) if is_abstract_type(own) else [own]
    return [
        one
        for one in SCHEMA.type_map.values()
        if is_composite_type(one)
        and not one.name.startswith("__")
        and one.name != "Query"
        and (one in possible or (is_abstract_type(one) and any(SCHEMA.is_sub_type(one, each) for each in possible)))
    ]


def named(of_type: Any) -> Any:
    while isinstance(of_type, GraphQLNonNull | GraphQLList):
        of_type = of_type.of_type
    return of_type


@st.composite
def selections(draw: st.DrawFn, type_name: str, depth: int) -> tuple[Selection, ...]:
    own = SCHEMA.type_map[type_name]
    found: list[Selection] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 5))
        if kind == 0 and depth > 0 and type_name != "Query":
            narrowed = draw(st.sampled_from(composites(type_name)))
            found.append(Fragment(narrowed.name, draw(selections(narrowed.name, depth - 1))))
            continue
        fields = {name: one.type for name, one in getattr(own, "fields", {}).items() if depth > 0 or not is_composite_type(named(one.type))}
        name = draw(st.sampled_from(["__typename", *fields]))
        alias = draw(st.sampled_from([name, f"my_{name}"]))
        below = draw(selections(named(fields[name]).name, depth - 1)) if name in fields and is_composite_type(named(fields[name])) else ()
        found.append(Field(name, alias, name, (), draw(CONDITIONS), below))
    return tuple(found)


def value(random: Random, of_type: Any, selected: Sequence[Selection]) -> Any:
    """Mostly right, sometimes null or wrong where graphql-core calls it wrong too."""
    luck = random.randrange(40)
    if luck == 0:
        return None
    if isinstance(of_type, GraphQLNonNull):
        of_type = of_type.of_type
    if isinstance(of_type, GraphQLList):
        return 5 if luck == 1 else [value(random, of_type.of_type, selected) for _ in range(random.randrange(4))]
    if is_composite_type(of_type):
        return an_object(random, of_type, selected)
    wrong = WRONG[of_type.name]
    return random.choice(wrong if luck == 1 and wrong else RIGHT[of_type.name])


def an_object(random: Random, of_type: Any, selected: Sequence[Selection]) -> dict[str, Any]:
    """An object with what the operation may ask of it."""
    possible = SCHEMA.get_possible_types(of_type) if is_abstract_type(of_type) else [of_type]
    concrete = random.choice(sorted(possible, key=str))
    below: dict[str, list[Selection]] = {}
    for one in fields_of(selected):
        below.setdefault(one.name, []).extend(one.selections)
    found = {name: value(random, concrete.fields[name].type, each) for name, each in below.items() if name in concrete.fields}
    return {"__typename": "Nowhere" if is_abstract_type(of_type) and random.randrange(30) == 0 else concrete.name, **found}


def fields_of(selected: Sequence[Selection]) -> Iterator[Field]:
    for one in selected:
        if isinstance(one, Field):
            yield one
        else:
            yield from fields_of(one.selections)


def printed(selections: Sequence[Selection]) -> str:
    parts = []
    for one in selections:
        if isinstance(one, Fragment):
            parts.append(f"... on {one.type_condition} {printed(one.selections)}")
            continue
        directives = "".join(f" @{'include' if each.expected else 'skip'}(if: ${each.variable})" for each in one.conditions)
        parts.append(f"{one.response_key}: {one.name}{directives} {printed(one.selections) if one.selections else ''}")
    return "{ " + " ".join(parts) + " }"


@settings(max_examples=400, deadline=None)
@given(selections("Query", 4), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_projection_for_any_operation_and_data_equals_graphql_core(selected: tuple[Selection, ...], seed: int, a: bool, b: bool) -> None:
    document = parse(f"query($a: Boolean!, $b: Boolean!) {printed(selected)}")
    data = an_object(Random(seed), SCHEMA.query_type, selected)
    expected = execute_sync(SCHEMA, document, data, variable_values={"a": a, "b": b})

    faults = Faults(limit=1000)
    projected = Projection(SCHEMA, Operation(OperationKind.QUERY, None, selected), Hidden()).run(
        data, {"a": a, "b": b}, faults, lambda _path: None
    )

    assert projected == expected.data
    assert in_order(projected) == in_order(expected.data)
    assert {tuple(error["path"]) for error in faults.result()} == {tuple(error.path or ()) for error in expected.errors or ()}


def in_order(value: Any) -> Any:
    """The keys in their order, which `==` of dictionaries does not look at."""
    if isinstance(value, dict):
        return [(key, in_order(item)) for key, item in value.items()]
    return [in_order(item) for item in value] if isinstance(value, list) else None


def test_enum_and_object_types_are_what_the_strategies_expect() -> None:
    assert isinstance(SCHEMA.type_map["Colour"], GraphQLEnumType)
    assert isinstance(SCHEMA.type_map["House"], GraphQLObjectType)
