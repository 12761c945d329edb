"""Every hint: what brings it up, and what it says."""

import pytest
from composition_corpus import subgraphs_of
from npm_comparison import codes_of

from graph.composition import Composed, Hint, HintLevel, Location, compose

FEDERATION = '@link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable", "@composeDirective"])'
MINE = f'extend schema {FEDERATION} @link(url: "https://example.org/mine/v1.%s", import: ["@mine"]) @composeDirective(name: "@mine")\n'
BOTH = "# subgraph a\n%s\n# subgraph b\n%s\n"

CASES = {
    "INCONSISTENT_ARGUMENT_PRESENCE": (
        BOTH % ("type Query { f(x: Int): Int @shareable }", "type Query { f: Int @shareable }"),
        '"Query.f(x:)" is not in the supergraph, because b does not define it.',
    ),
    "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE": (
        BOTH % ("type Query { f(x: Int): Int @shareable }", "type Query { f(x: Int!): Int @shareable }"),
        '"Query.f(x:)" has different types that fit each other: "Int" in a; "Int!" in b. The supergraph has the strictest.',
    ),
    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE": (
        BOTH % ("type Query { f: Int @shareable }", "type Query { f: Int! @shareable }"),
        '"Query.f" has different types that fit each other: "Int" in a; "Int!" in b.',
    ),
    "INCONSISTENT_DEFAULT_VALUE_PRESENCE": (
        BOTH % ("type Query { f(x: Int = 1): Int @shareable }", "type Query { f(x: Int): Int @shareable }"),
        '"Query.f(x:)" has a default in some subgraphs only, and therefore none in the supergraph.',
    ),
    "INCONSISTENT_DESCRIPTION": (
        BOTH % ('type Query { "One" f: Int @shareable }', 'type Query { "Two" f: Int @shareable }'),
        '"Query.f" is described differently in a, b: the supergraph has the description that most of them have.',
    ),
    "INCONSISTENT_ENTITY": (
        BOTH % ('type Query { f: T } type T @key(fields: "i") { i: Int }', "type T { i: Int @shareable }"),
        '"T" has a @key in some subgraphs, but none in b.',
    ),
    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM": (
        BOTH % ("type Query { f(e: E): Int } enum E { X Y }", "enum E { X }"),
        '"E.Y" is not in the supergraph, because b does not define it.',
    ),
    "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM": (
        BOTH % ("type Query { f: E } enum E { X Y }", "enum E { X }"),
        '"E.Y" is in the supergraph, though b does not define it.',
    ),
    "INCONSISTENT_INPUT_OBJECT_FIELD": (
        BOTH % ("type Query { f(i: I): Int } input I { x: Int y: Int }", "input I { x: Int }"),
        '"I.y" is not in the supergraph, because b does not define it.',
    ),
    "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD": (
        BOTH % ("type Query { f: I } interface I { x: Int y: Int }", "interface I { x: Int }"),
        '"I.y" is in the supergraph, though b does not define it.',
    ),
    "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD": (
        BOTH % ("type Query { f: T } type T @shareable { x: Int y: Int }", "type T @shareable { x: Int }"),
        '"T.y" is in the supergraph, though b does not define it.',
    ),
    "INCONSISTENT_UNION_MEMBER": (
        BOTH
        % (
            "type Query { f: U } union U = A | B type A { x: Int } type B @shareable { x: Int }",
            "union U = B type B @shareable { x: Int }",
        ),
        '"A" is a member of "U" in the supergraph, but not in b.',
    ),
    "UNUSED_ENUM_TYPE": (BOTH % ("type Query { f: Int }", "enum E { X }"), 'Nothing is of the type "E".'),
    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN": (
        BOTH
        % (
            "type Query { f: I @shareable } interface I { x: Int } type A implements I @shareable { x: Int }",
            "type Query {f: I @shareable} interface I { x: Int } type A implements I @shareable { x: Int } type B implements I { x: Int }",
        ),
        '"Query.f" is shared, and its possible types differ: A in a; A, B in b.',
    ),
    "FROM_SUBGRAPH_DOES_NOT_EXIST": (
        BOTH % ('type Query { f: Int @override(from: "c") }', "type Query { g: Int }"),
        '"Query.f" in "a" overrides "c", which is no subgraph here: the directive can be removed.',
    ),
    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED": (
        BOTH % ('type Query { f: Int @override(from: "b") }', "type Query { g: Int }"),
        '"Query.f" in "a" overrides "b", which does not answer the field: the directive can be removed.',
    ),
    "OVERRIDDEN_FIELD_CAN_BE_REMOVED": (
        BOTH % ('type Query { f: Int @override(from: "b") }', "type Query { f: Int }"),
        '"Query.f" in "a" overrides "b", where it can be removed.',
    ),
    "OVERRIDE_MIGRATION_IN_PROGRESS": (
        BOTH % ('type Query { f: Int @override(from: "b", label: "percent(5)") }', "type Query { f: Int }"),
        '"Query.f" in "a" overrides "b" for some requests: once it is for all, remove the label, then the field there.',
    ),
    "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": (
        BOTH % ('type Query { f: Int @shareable @deprecated(reason: "x") }', "type Query { f: Int @shareable @deprecated }"),
        '"Query.f" has different arguments of @deprecated: (reason: "x") in a; no arguments in b. The first that says anything is taken.',
    ),
    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": (
        BOTH % ("type Query { f: Int @shareable @cost(weight: 1) }", "type Query { f: Int @shareable @cost(weight: 2) }"),
        '"Query.f" has different arguments of @cost, which are merged: (weight: 1) in a; (weight: 2) in b.',
    ),
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE": (
        BOTH % ("type Query { f: Int } directive @d on FIELD", "type Query { g: Int }"),
        '"@d" is not in the supergraph, because b does not define it.',
    ),
    "NO_EXECUTABLE_DIRECTIVE_INTERSECTION": (
        BOTH % ("type Query { f: Int } directive @d on FIELD", "type Query { g: Int } directive @d on QUERY"),
        '"@d" is not in the supergraph, because there is no place where all subgraphs allow it.',
    ),
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE": (
        BOTH % ("type Query { f: Int } directive @d on FIELD", "type Query { g: Int } directive @d repeatable on FIELD"),
        '"@d" is repeatable in some subgraphs only: the supergraph has only what all subgraphs allow.',
    ),
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS": (
        BOTH % ("type Query { f: Int } directive @d on FIELD", "type Query { g: Int } directive @d on FIELD | QUERY"),
        '"@d" may stand in different places: the supergraph has only what all subgraphs allow.',
    ),
    "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_REPEATABLE": (
        BOTH
        % (
            MINE % 0 + "directive @mine on OBJECT type Query { f: Int }",
            MINE % 0 + "directive @mine repeatable on OBJECT type Query { g: Int }",
        ),
        '"@mine" is repeatable in some subgraphs only: the supergraph has what any of them allows.',
    ),
    "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_LOCATIONS": (
        BOTH % (MINE % 0 + "directive @mine on OBJECT type Query { f: Int }", MINE % 0 + "directive @mine on ENUM type Query { g: Int }"),
        '"@mine" may stand in different places: the supergraph has what any of them allows.',
    ),
    "DIRECTIVE_COMPOSITION_WARN": (
        BOTH % (MINE % 0 + "directive @mine on OBJECT type Query { f: Int }", "directive @mine on OBJECT type Query { g: Int }"),
        '"@mine" is composed, but not from b: add @composeDirective there if it is meant.',
    ),
    "DIRECTIVE_COMPOSITION_INFO": (
        BOTH % (MINE % 0 + "directive @mine on OBJECT type Query { f: Int }", MINE % 1 + "directive @mine on OBJECT type Query { g: Int }"),
        '"@mine" is linked in different versions, of which the supergraph has the newest:'
        " https://example.org/mine/v1.0 in a; https://example.org/mine/v1.1 in b.",
    ),
}


def _hints(text: str) -> tuple[Hint, ...]:
    outcome = compose(subgraphs_of(text))
    assert isinstance(outcome, Composed), outcome
    return outcome.hints


@pytest.mark.parametrize("code", CASES)
def test_compose_when_something_is_probably_not_meant_then_one_hint_says_so(code: str) -> None:
    text, message = CASES[code]

    assert [str(hint) for hint in _hints(text)] == [f"{code}: {message}"]


def test_compose_when_subgraphs_agree_then_there_are_no_hints() -> None:
    sdl = 'type Query { "F" f(x: Int = 1): T @shareable } type T @key(fields: "i") { i: Int } enum E { X } type G @shareable { e: E }'

    assert _hints(BOTH % (sdl, sdl)) == ()


def test_hint_when_it_is_about_places_then_it_names_subgraphs_and_lines() -> None:
    (hint,) = _hints(CASES["OVERRIDE_MIGRATION_IN_PROGRESS"][0])

    assert (hint.subgraphs, hint.locations) == (("a", "b"), (Location("a", 2, 14), Location("b", 2, 14)))


@pytest.mark.parametrize(
    ("code", "level"),
    [("INCONSISTENT_DESCRIPTION", HintLevel.WARN), ("INCONSISTENT_ENTITY", HintLevel.INFO), ("UNUSED_ENUM_TYPE", HintLevel.DEBUG)],
)
def test_hint_when_asked_then_knows_how_much_it_matters(code: str, level: HintLevel) -> None:
    assert Hint(code, "").level is level


def test_document_when_it_lists_hints_then_they_are_those_that_are_tested() -> None:
    assert codes_of("## Hints") == sorted(CASES)
