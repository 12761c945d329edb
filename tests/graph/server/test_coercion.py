"""Generated coercion against graphql-core's: the same values, of the same types and in the same order, or none."""

from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    build_schema,
    get_variable_values,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.server.coercion import Coercions


def _even(value: Any) -> Any:
    if type(value) is not int or value % 2:
        raise ValueError("odd")
    return str(value)


def _fickle(value: Any) -> Any:
    return Undefined if value == "" else value


JSON = GraphQLScalarType("JSON")
EVEN = GraphQLScalarType("Even", coerce_input_value=_even)
FICKLE = GraphQLScalarType("Fickle", coerce_input_value=_fickle)
COLOUR = GraphQLEnumType("Colour", {"RED": 1, "GREEN": "g", "NONE": 0})
LEAVES = [GraphQLString, GraphQLID, GraphQLBoolean, GraphQLInt, GraphQLFloat, JSON, EVEN, FICKLE, COLOUR]

NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53, 2**53 + 1, 10**400, 5.0, 2.5, 1e308, -0.0]),
    st.sampled_from([float("inf"), float("-inf"), float("nan"), 3e9]),
)
ATOMS = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(["", "RED", "GREEN", "7", "a"]))
ANYTHING = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=5
)
FITTING = {
    GraphQLString: st.text(max_size=3),
    GraphQLID: st.text(max_size=3) | st.integers(0, 9) | st.just(7.0),
    GraphQLBoolean: st.booleans(),
    GraphQLInt: st.integers(-(2**31), 2**31 - 1) | st.just(5.0),
    GraphQLFloat: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    JSON: ANYTHING.filter(lambda value: value is not None),
    EVEN: st.integers(-5, 5).map(lambda value: value * 2),
    FICKLE: st.just("a"),
    COLOUR: st.sampled_from(["RED", "GREEN", "NONE"]),
}


@st.composite
def types(draw: st.DrawFn, named: list[Any]) -> GraphQLInputType:
    found: Any = draw(st.sampled_from(named))
    for _ in range(draw(st.integers(0, 2))):
        found = GraphQLList(GraphQLNonNull(found) if draw(st.booleans()) else found)
    return GraphQLNonNull(found) if draw(st.booleans()) else found


@st.composite
def schemas(draw: st.DrawFn) -> GraphQLSchema:
    """Two or three input objects, each of fields of any type, the objects too; and a field that takes them all."""
    objects: list[GraphQLInputObjectType] = []
    for name in "OPQ":
        exclusive = draw(st.integers(0, 3)) == 0
        fields = {key: draw(_fields(key, [*LEAVES, *objects], exclusive=exclusive)) for key in "abc"[: draw(st.integers(1, 3))]}
        if draw(st.booleans()):
            own = len(objects)
            fields["r"] = GraphQLInputField(GraphQLList(GraphQLNonNull(objects[-1])) if own else GraphQLString)
        out_type = (lambda sent: ("made", list(sent.items()))) if draw(st.integers(0, 4)) == 0 else None
        objects.append(GraphQLInputObjectType(name, fields, out_type=out_type, is_one_of=exclusive))
    arguments = {one.name.lower(): GraphQLArgument(one) for one in [*LEAVES, *objects]}
    return GraphQLSchema(GraphQLObjectType("Query", {"field": GraphQLField(GraphQLString, arguments)}))


@st.composite
def _fields(draw: st.DrawFn, name: str, named: list[Any], *, exclusive: bool) -> GraphQLInputField:
    of_type: Any = draw(types(named))
    if exclusive:
        return GraphQLInputField(of_type.of_type if isinstance(of_type, GraphQLNonNull) else of_type)
    out_name = draw(st.sampled_from([None, None, f"out_{name}"]))
    default = None
    if draw(st.integers(0, 3)) == 0:
        value = draw(values(of_type) if draw(st.integers(0, 9)) else ANYTHING)
        default = GraphQLDefaultInput(value=value)
    return GraphQLInputField(of_type, default=default, out_name=out_name)


def values(of_type: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Mostly valid ones."""
    if isinstance(of_type, GraphQLNonNull):
        return values(of_type.of_type, depth)
    valid: st.SearchStrategy[Any]
    if isinstance(of_type, GraphQLList):
        item = values(of_type.of_type, depth + 1)
        valid = st.lists(item, max_size=3) | item
    elif isinstance(of_type, GraphQLInputObjectType):
        required = {k: values(f.type, depth + 1) for k, f in of_type.fields.items() if isinstance(f.type, GraphQLNonNull)}
        optional = {k: values(f.type, depth + 1) for k, f in of_type.fields.items() if k not in required}
        valid = st.fixed_dictionaries(required, optional=optional)
        if of_type.is_one_of:
            valid = st.one_of([st.fixed_dictionaries({k: values(f.type, depth + 1)}) for k, f in of_type.fields.items()]) | valid
    else:
        valid = FITTING[of_type]
    if isinstance(of_type, GraphQLList | GraphQLInputObjectType) or depth < 2:
        return st.integers(0, 19).flatmap(lambda choice: st.none() if choice == 0 else ANYTHING if choice == 1 else valid)
    return st.integers(0, 39).flatmap(lambda choice: ATOMS if choice == 0 else valid)


def _exactly(value: Any) -> Any:
    """A form that tells 1 from 1.0 and True, and one order of fields from another."""
    match value:
        case dict():
            return [(key, _exactly(item)) for key, item in value.items()]
        case list() | tuple():
            return (type(value), [_exactly(item) for item in value])
        case _:
            return (type(value), repr(value))


def _both(schema: GraphQLSchema, operation: str, sent: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    node = parse(operation).definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    definitions = node.variable_definitions or ()
    return Coercions(schema).of(definitions)(sent), get_variable_values(schema, definitions, sent)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_coercion_of_any_value_by_any_type_then_is_that_of_graphql_core(data: st.DataObject) -> None:
    # given
    schema = data.draw(schemas())
    named = [one for one in schema.type_map.values() if one in LEAVES or isinstance(one, GraphQLInputObjectType)]
    of_type = data.draw(types(named))
    sent = {} if data.draw(st.integers(0, 9)) == 0 else {"v": data.draw(values(of_type))}
    try:
        expected = _both(schema, f"query($v: {of_type}) {{ field }}", sent)[1]
    except TypeError:  # an invalid default, which only a valid schema excludes
        expected = []
    # when
    made = Coercions(schema).of(parse(f"query($v: {of_type}) {{ field }}").definitions[0].variable_definitions)(sent)  # type: ignore[attr-defined]
    # then
    if isinstance(expected, list):
        assert made is None
    else:
        assert _exactly(made) == _exactly(expected.coerced)


SDL = """
enum Kind { A B }
scalar Any
input Point { at: Any!, value: Float!, kind: Kind = B, tags: [String!] = ["x"], note: String }
input Series { names: [String!]!, ids: [ID!]!, flags: [Boolean!]!, counts: [Int!]!, values: [Float!]!, times: [Any!]! }
input Choice @oneOf { number: Int, points: [Point!] }
input Tree { name: String!, below: [Tree!] }
type Query { field(p: Point, s: Series, c: Choice, t: Tree): Int }
"""
SERIES = {"names": ["a"], "ids": ["i"], "flags": [True], "counts": [1], "values": [0.5], "times": [1, "t", {}]}


@pytest.mark.parametrize(
    ("declared", "sent", "expected"),
    [
        ("$v: Point", {"value": 1, "at": 5}, {"at": 5, "value": 1.0, "kind": "B", "tags": ["x"]}),
        ("$v: Point!", {"at": [], "value": 2.5, "kind": "A", "tags": None}, {"at": [], "value": 2.5, "kind": "A", "tags": None}),
        ("$v: Point", {"at": 0, "value": 1.5, "tags": "y"}, {"at": 0, "value": 1.5, "kind": "B", "tags": ["y"]}),
        ("$v: [[Int]]", 5, [[5]]),
        ("$v: [Int!]", [1, 5.0], [1, 5]),
        ("$v: [ID]", [7, None, "a"], ["7", None, "a"]),
        ("$v: [Float!]", [1, 0.5, 2**53], [1.0, 0.5, 2.0**53]),
        ("$v: [Float!]", [1e308, 1e308], [1e308, 1e308]),
        ("$v: [String!]", [], []),
        ("$v: Series", SERIES, SERIES),
        ("$v: Choice", {"number": 3}, {"number": 3}),
        ("$v: Tree", {"name": "a", "below": [{"name": "b"}]}, {"name": "a", "below": [{"name": "b"}]}),
        ("$v: Int = 3", None, None),
    ],
)
def test_coercion_of_valid_values_then_needs_no_second_look(declared: str, sent: object, expected: object) -> None:
    # when
    made, known = _both(build_schema(SDL), f"query({declared}) {{ field }}", {"v": sent, "unknown": 1})
    # then
    assert made is not None
    assert _exactly(made) == _exactly({"v": expected}) == _exactly(known.coerced)


def test_coercion_by_types_with_values_of_their_own_then_gives_those() -> None:
    # given
    fields = {"a": GraphQLInputField(GraphQLList(COLOUR), out_name="b"), "e": GraphQLInputField(EVEN, default=GraphQLDefaultInput(value=4))}
    made_of = GraphQLInputObjectType("Own", fields, out_type=lambda sent: tuple(sent.items()))
    query = GraphQLObjectType("Query", {"field": GraphQLField(GraphQLString, {"own": GraphQLArgument(made_of)})})
    # when
    made, known = _both(GraphQLSchema(query), "query($v: [Own]) { field }", {"v": [{"a": ["RED", None]}, {"e": 6, "a": "GREEN"}]})
    # then
    assert made == {"v": [(("b", [1, None]), ("e", "4")), (("b", ["g"]), ("e", "6"))]}
    assert made == known.coerced


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("$v: Int!", None),
        ("$v: Int", True),
        ("$v: Int", 2**31),
        ("$v: [Int!]", [1, True]),
        ("$v: [Int!]", [2**31]),
        ("$v: Float", float("nan")),
        ("$v: [Float!]", [1.0, float("inf"), float("-inf")]),
        ("$v: [Float!]", [1, 2**53 + 1]),
        ("$v: [Float!]", [10**400]),
        ("$v: [String!]", ["a", None]),
        ("$v: Kind", "C"),
        ("$v: Kind", ["A"]),
        ("$v: Point", {"at": None, "value": 1.0}),
        ("$v: Point", {"value": 1.0}),
        ("$v: Point", {"at": 1, "value": 1.0, "other": 1}),
        ("$v: Point", [{"at": 1, "value": 1.0}]),
        ("$v: Series", {**SERIES, "times": [1, None]}),
        ("$v: Choice", {"number": None}),
        ("$v: Choice", {"number": 1, "points": []}),
        ("$v: Choice", {}),
    ],
)
def test_coercion_of_an_invalid_value_then_is_left_to_graphql_core(declared: str, sent: object) -> None:
    # when
    made, known = _both(build_schema(SDL), f"query({declared}) {{ field }}", {"v": sent})
    # then
    assert made is None
    assert isinstance(known, list)


def test_coercion_when_variables_are_absent_then_fills_in_defaults() -> None:
    # when
    operation = "query($a: Int = 3, $b: Point = {at: 1, value: 2}, $c: Int, $d: Int! = 4) { field }"
    made, known = _both(build_schema(SDL), operation, {})
    # then
    assert made == {"a": 3, "b": {"at": 1, "value": 2.0, "kind": "B", "tags": ["x"]}, "d": 4}
    assert made == known.coerced


@pytest.mark.parametrize(("depth", "refused"), [(90, False), (102, True), (5_000, True)])
def test_coercion_of_a_recursive_input_then_ends_where_graphql_core_ends(depth: int, refused: bool) -> None:
    # given
    tree: dict[str, Any] = {"name": "leaf"}
    for _ in range(depth):
        tree = {"name": "a", "below": [tree]}
    # when
    made, known = _both(build_schema(SDL), "query($v: Tree) { field }", {"v": tree})
    # then
    assert (made is None) == isinstance(known, list) == refused
