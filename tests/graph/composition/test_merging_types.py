"""Enums, unions, inputs, scalars, and what is written on types."""

from composition_corpus import block, composed


def test_enum_when_only_answered_then_values_are_united() -> None:
    sdl = composed("# subgraph a\ntype Query { a: E }\nenum E { X }\n# subgraph b\ntype Query { b: E }\nenum E { Y X }\n")

    assert block(sdl, "enum E") == (
        "enum E\n"
        "  @join__type(graph: A)\n"
        "  @join__type(graph: B)\n"
        "{\n"
        "  X @join__enumValue(graph: A) @join__enumValue(graph: B)\n"
        "  Y @join__enumValue(graph: B)\n"
        "}"
    )


def test_enum_when_only_given_then_values_are_intersected() -> None:
    sdl = composed("# subgraph a\ntype Query { a(e: E): Int }\nenum E { X Z }\n# subgraph b\ntype Query { b(e: E): Int }\nenum E { Y X }\n")

    assert block(sdl, "enum E").splitlines()[3:] == ["{", "  X @join__enumValue(graph: A) @join__enumValue(graph: B)", "}"]


def test_union_when_subgraphs_have_different_members_then_it_has_all() -> None:
    sdl = composed(
        "# subgraph a\ntype Query { a: U }\nunion U = A\ntype A { x: Int }\n"
        "# subgraph b\ntype Query { b: U }\nunion U = B\ntype B { x: Int }\n"
    )

    assert block(sdl, "union U") == (
        "union U\n"
        "  @join__type(graph: A)\n"
        "  @join__type(graph: B)\n"
        '  @join__unionMember(graph: A, member: "A")\n'
        '  @join__unionMember(graph: B, member: "B")\n'
        "  = A | B"
    )


def test_input_when_subgraphs_have_different_fields_then_it_has_the_common_ones() -> None:
    sdl = composed(
        "# subgraph a\ntype Query { a(i: I): Int }\ninput I { x: Int, y: Int! = 2, z: Int }\n"
        "# subgraph b\ntype Query { b(i: I): Int }\ninput I { y: Int! = 2, z: Int! }\n"
    )

    assert block(sdl, "input I").splitlines()[3:] == [
        "{",
        "  y: Int! = 2",
        '  z: Int! @join__field(graph: A, type: "Int") @join__field(graph: B, type: "Int!")',
        "}",
    ]


def test_input_when_it_is_one_of_then_the_supergraph_says_so() -> None:
    sdl = composed("# subgraph a\ntype Query { a(i: I): Int }\ninput I @oneOf { x: Int, y: Int }\n")

    assert block(sdl, "input I").splitlines()[:3] == ["input I", "  @join__type(graph: A)", "  @oneOf"]


def test_scalar_when_two_subgraphs_have_it_then_it_names_both_and_keeps_its_specification() -> None:
    sdl = composed(
        '# subgraph a\ntype Query { a: S }\nscalar S @specifiedBy(url: "https://example.org/s")\n'
        "# subgraph b\ntype Query { b: S }\nscalar S\n"
    )

    assert block(sdl, "scalar S") == (
        'scalar S\n  @join__type(graph: A)\n  @join__type(graph: B)\n  @specifiedBy(url: "https://example.org/s")'
    )


def test_interfaces_when_subgraphs_differ_then_the_type_implements_all_and_each_is_remembered() -> None:
    sdl = composed(
        """
# subgraph a
type Query { t: T }
interface I { x: Int }
interface J { x: Int }
type T implements I @key(fields: "x") { x: Int }
# subgraph b
interface J { x: Int }
type T implements J @key(fields: "x") { x: Int, y: Int }
"""
    )

    assert block(sdl, "type T implements I & J").splitlines()[1:5] == [
        '  @join__type(graph: A, key: "x")',
        '  @join__type(graph: B, key: "x")',
        '  @join__implements(graph: A, interface: "I")',
        '  @join__implements(graph: B, interface: "J")',
    ]


def test_extension_when_it_has_a_key_then_the_key_is_an_extension_s() -> None:
    sdl = composed(
        """
# subgraph a
type Query { t: T }
extend type T @key(fields: "id") { id: ID! @external, x: Int }
# subgraph b
type T @key(fields: "id") { id: ID! }
"""
    )

    assert block(sdl, "type T") == (
        "type T\n"
        '  @join__type(graph: A, key: "id", extension: true)\n'
        '  @join__type(graph: B, key: "id")\n'
        "{\n"
        "  id: ID!\n"
        "  x: Int @join__field(graph: A)\n"
        "}"
    )


def test_description_when_subgraphs_differ_then_the_most_frequent_is_kept() -> None:
    sdl = composed(
        '# subgraph a\n"One."\ntype Query { a: Int }\n'
        '# subgraph b\n"Two."\ntype Query { b: Int }\n'
        '# subgraph c\n"Two."\ntype Query { c: Int }\n'
    )

    assert '"""Two."""\ntype Query\n' in sdl
    assert "One." not in sdl


def test_tags_when_two_subgraphs_have_them_then_all_are_kept_once_and_the_specification_is_linked() -> None:
    sdl = composed(
        '# subgraph a\ntype Query { a: Int @shareable @tag(name: "y") @tag(name: "x") }\n'
        '# subgraph b\ntype Query { a: Int @shareable @tag(name: "x") @deprecated(reason: "old") }\n'
    )

    assert '  a: Int @tag(name: "x") @tag(name: "y") @deprecated(reason: "old")\n' in sdl
    assert '  @link(url: "https://specs.apollo.dev/tag/v0.3")\n' in sdl
    assert sdl.count("directive @tag(name: String!)") == 1


def test_inaccessible_when_one_subgraph_says_it_then_the_supergraph_does() -> None:
    sdl = composed("# subgraph a\ntype Query { a: Int @shareable @inaccessible, b: Int }\n# subgraph b\ntype Query { a: Int @shareable }\n")

    assert "  a: Int @inaccessible\n" in sdl
    assert '  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)\n' in sdl


def test_scopes_when_two_subgraphs_demand_some_then_both_must_hold() -> None:
    sdl = composed(
        '# subgraph a\ntype Query { a: Int @shareable @requiresScopes(scopes: [["x"], ["y"]]) @authenticated }\n'
        '# subgraph b\ntype Query { a: Int @shareable @requiresScopes(scopes: [["x", "z"]]) @policy(policies: [["p"]]) }\n'
    )

    assert '  a: Int @authenticated @requiresScopes(scopes: [["x", "z"]]) @policy(policies: [["p"]])\n' in sdl


def test_authorisation_when_an_implementation_has_it_then_its_interface_has_it_too() -> None:
    sdl = composed(
        "# subgraph a\ntype Query { a: I }\ninterface I { x: Int }\ntype T implements I @authenticated { x: Int @authenticated }\n"
    )

    assert block(sdl, "interface I") == "interface I\n  @join__type(graph: A)\n  @authenticated\n{\n  x: Int @authenticated\n}"


def test_cost_when_two_subgraphs_estimate_then_the_higher_is_kept() -> None:
    sdl = composed(
        "# subgraph a\ntype Query { a(n: Int): [Int] @shareable @cost(weight: 3) @listSize(assumedSize: 9) }\n"
        '# subgraph b\ntype Query { a(n: Int): [Int] @shareable @cost(weight: 5) @listSize(assumedSize: 4, slicingArguments: ["n"]) }\n'
    )

    assert '  a(n: Int): [Int] @cost(weight: 5) @listSize(assumedSize: 9, slicingArguments: ["n"])\n' in sdl
    assert '  @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])\n' in sdl


def test_compose_directive_when_it_lists_one_then_its_uses_definition_and_link_are_kept() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective"])'
    sdl = composed(
        f"""
# subgraph a
{link} @link(url: "https://example.org/mine/v1.2", import: ["@mine"]) @composeDirective(name: "@mine")
directive @mine(level: Int) on FIELD_DEFINITION
directive @private on FIELD_DEFINITION
type Query {{ a: Int @mine(level: 3) @private }}
"""
    )

    assert "  a: Int @mine(level: 3)\n" in sdl
    assert "directive @mine(level: Int) on FIELD_DEFINITION\n" in sdl
    assert '  @link(url: "https://example.org/mine/v1.2", import: ["@mine"])\n' in sdl
    assert "private" not in sdl


def test_executable_directive_when_all_subgraphs_define_it_then_it_is_kept_for_their_common_places() -> None:
    sdl = composed(
        "# subgraph a\ntype Query { a: Int }\ndirective @trace on QUERY | FIELD\ndirective @only on FIELD\n"
        "# subgraph b\ntype Query { b: Int }\ndirective @trace on FIELD | FIELD_DEFINITION\n"
    )

    assert "directive @trace on FIELD\n" in sdl
    assert "@only" not in sdl
