"""Fields and arguments: what the supergraph says, and what it remembers of each subgraph."""

from composition_corpus import LINK, block, composed

from graph.composition import Composed, SubgraphSDL, compose


def test_fields_when_subgraphs_have_different_ones_then_each_names_its_graph() -> None:
    sdl = composed(
        """
# subgraph a
type Query { user: User }
type User @key(fields: "id", resolvable: false) { id: ID!, name: String }
# subgraph b
type User @key(fields: "id") { id: ID!, age: Int }
"""
    )

    assert block(sdl, "type User") == (
        "type User\n"
        '  @join__type(graph: A, key: "id", resolvable: false)\n'
        '  @join__type(graph: B, key: "id")\n'
        "{\n"
        "  id: ID!\n"
        "  name: String @join__field(graph: A)\n"
        "  age: Int @join__field(graph: B)\n"
        "}"
    )


def test_query_when_a_subgraph_has_none_then_it_has_the_type_all_the_same() -> None:
    sdl = composed(
        """
# subgraph a
type Query { user: User }
type User @key(fields: "id") { id: ID! }
# subgraph b
type User @key(fields: "id") { id: ID!, age: Int }
"""
    )

    assert block(sdl, "type Query") == (
        "type Query\n  @join__type(graph: A)\n  @join__type(graph: B)\n{\n  user: User @join__field(graph: A)\n}"
    )


def test_field_type_when_nullable_somewhere_then_it_is_nullable_and_both_types_are_kept() -> None:
    sdl = composed("# subgraph a\ntype Query { a: [Int!]! @shareable }\n# subgraph b\ntype Query { a: [Int] @shareable }\n")

    assert '  a: [Int] @join__field(graph: A, type: "[Int!]!") @join__field(graph: B, type: "[Int]")\n' in block(sdl, "type Query")


def test_field_type_when_one_is_an_interface_of_the_other_then_the_interface_wins() -> None:
    sdl = composed(
        """
# subgraph a
type Query { a: I @shareable }
interface I { x: Int }
type T implements I @shareable { x: Int }
# subgraph b
type Query { a: T @shareable }
type T @shareable { x: Int }
"""
    )

    assert '  a: I @join__field(graph: A, type: "I") @join__field(graph: B, type: "T")\n' in block(sdl, "type Query")


def test_argument_when_types_differ_in_nullability_then_the_stricter_wins() -> None:
    sdl = composed("# subgraph a\ntype Query { a(x: Int!): Int @shareable }\n# subgraph b\ntype Query { a(x: Int): Int @shareable }\n")

    assert "  a(x: Int!): Int\n" in block(sdl, "type Query")


def test_argument_when_a_subgraph_lacks_it_then_clients_do_not_see_it() -> None:
    sdl = composed(
        "# subgraph a\ntype Query { a(x: Int, y: Int): Int @shareable }\n# subgraph b\ntype Query { a(y: Int): Int @shareable }\n"
    )

    assert "  a(y: Int): Int\n" in block(sdl, "type Query")


def test_argument_default_when_only_one_subgraph_has_it_then_the_supergraph_has_none() -> None:
    sdl = composed("# subgraph a\ntype Query { a(x: Int = 3): Int @shareable }\n# subgraph b\ntype Query { a(x: Int): Int @shareable }\n")

    assert "  a(x: Int): Int\n" in block(sdl, "type Query")


def test_arguments_when_described_then_each_stands_on_its_own_line() -> None:
    sdl = composed('# subgraph a\ntype Query { a("How many." first: Int = 10, after: String): Int }\n')

    assert block(sdl, "type Query") == (
        'type Query\n  @join__type(graph: A)\n{\n  a(\n    """How many."""\n    first: Int = 10\n    after: String\n  ): Int\n}'
    )


def test_requires_and_provides_when_written_over_lines_then_they_print_on_one() -> None:
    sdl = composed(
        '''
# subgraph a
type Query { a: A @provides(fields: "b") }
type A @key(fields: "id") {
  id: ID!
  b: Int @external
  o: O @external
  c: Int @requires(fields: """
    o {
      x
    }
    b
  """)
}
type O @shareable { x: Int }
# subgraph b
type A @key(fields: "id") { id: ID!, b: Int @shareable, o: O }
type O @shareable { x: Int }
'''
    )

    assert '  a: A @join__field(graph: A, provides: "b")\n' in sdl
    assert "  b: Int @join__field(graph: A, external: true) @join__field(graph: B)\n" in sdl
    assert '  c: Int @join__field(graph: A, requires: "o { x } b")\n' in sdl


def test_override_when_the_field_is_not_needed_where_it_was_then_that_subgraph_is_not_named() -> None:
    sdl = composed('# subgraph a\ntype Query { a: Int @override(from: "b") }\n# subgraph b\ntype Query { a: Int, b: Int }\n')

    assert '  a: Int @join__field(graph: A, override: "b")\n' in block(sdl, "type Query")


def test_override_when_the_field_is_a_key_where_it_was_then_it_is_used_though_overridden() -> None:
    sdl = composed(
        """
# subgraph a
type Query { t: T }
type T @key(fields: "id") { id: ID!, x: Int @override(from: "b") }
# subgraph b
type T @key(fields: "id") @key(fields: "x") { id: ID!, x: Int }
"""
    )

    assert '  x: Int @join__field(graph: A, override: "b") @join__field(graph: B, usedOverridden: true)\n' in sdl


def test_override_when_it_has_a_label_then_both_subgraphs_stay_and_carry_it() -> None:
    sdl = composed('# subgraph a\ntype Query { a: Int @override(from: "b", label: "percent(5)") }\n# subgraph b\ntype Query { a: Int }\n')

    assert (
        '  a: Int @join__field(graph: A, override: "b", overrideLabel: "percent(5)") @join__field(graph: B, overrideLabel: "percent(5)")\n'
    ) in sdl


def test_interface_object_when_it_adds_a_field_then_implementations_have_it_without_a_graph() -> None:
    sdl = composed(
        """
# subgraph a
type Query { nodes: [Node!]! }
interface Node @key(fields: "id") { id: ID! }
type Sensor implements Node @key(fields: "id") { id: ID!, unit: String }
# subgraph b
type Node @key(fields: "id") @interfaceObject { id: ID!, seen(by: ID): Int @tag(name: "x") }
"""
    )

    assert block(sdl, "interface Node") == (
        "interface Node\n"
        '  @join__type(graph: A, key: "id")\n'
        '  @join__type(graph: B, key: "id", isInterfaceObject: true)\n'
        "{\n"
        "  id: ID!\n"
        '  seen(by: ID): Int @join__field(graph: B) @tag(name: "x")\n'
        "}"
    )
    assert block(sdl, "type Sensor implements Node") == (
        "type Sensor implements Node\n"
        '  @join__type(graph: A, key: "id")\n'
        '  @join__implements(graph: A, interface: "Node")\n'
        "{\n"
        "  id: ID!\n"
        "  unit: String\n"
        '  seen(by: ID): Int @join__field @tag(name: "x")\n'
        "}"
    )


def test_from_context_when_an_argument_has_it_then_only_the_join_knows_the_argument() -> None:
    sdl = composed(
        """
# subgraph my_shop
type Query { shop: Shop }
type Shop @key(fields: "id") @context(name: "shop") { id: ID!, currency: String, price: Price }
type Price @key(fields: "id") { id: ID!, text(unit: String @fromContext(field: "$shop { currency }"), digits: Int): String }
# subgraph other
type Query { other: Int }
"""
    )

    assert (
        "  text(digits: Int): String @join__field(graph: MY_SHOP, contextArguments:"
        ' [{context: "my_shop__shop", name: "unit", type: "String", selection: "{ currency }"}])\n'
    ) in sdl
    assert '  @context(name: "my_shop__shop")\n' in block(sdl, "type Shop")


def test_context_when_two_subgraphs_have_similar_names_then_their_contexts_stay_apart() -> None:
    sdl = """
type Query { %(root)s: Place%(name)s }
union Place%(name)s @context(name: "place") = Shop%(name)s | Stall%(name)s
type Shop%(name)s @key(fields: "id") { id: ID!, currency: String, price: Price%(name)s }
type Stall%(name)s @key(fields: "id") { id: ID!, money: String, price: Price%(name)s }
type Price%(name)s @key(fields: "id") {
  id: ID!
  text(unit: String @fromContext(field: "$place ... on Shop%(name)s { currency } ... on Stall%(name)s { money }")): String
}
"""
    first = SubgraphSDL("my-shop", None, LINK + sdl % {"root": "a", "name": "A"})
    second = SubgraphSDL("my_shop", None, LINK + sdl % {"root": "b", "name": "B"})

    outcome = compose([first, second])

    assert isinstance(outcome, Composed), outcome
    assert block(outcome.supergraph_sdl, "union PlaceA").splitlines()[-2:] == ['  @context(name: "my-shop__place")', "  = ShopA | StallA"]
    assert block(outcome.supergraph_sdl, "type PriceB").splitlines()[-2] == (
        '  text: String @join__field(graph: MY_SHOP_2, contextArguments: [{context: "my_shop__place", name: "unit", type: "String",'
        ' selection: "{ ... on ShopB { currency } ... on StallB { money } }"}])'
    )


def test_override_when_the_field_was_external_anyway_then_nothing_is_taken_over() -> None:
    sdl = composed(
        """
# subgraph a
type Query { t: T }
type T @key(fields: "id") { id: ID!, x: Int @override(from: "b") }
# subgraph b
type T @key(fields: "id") { id: ID!, x: Int @external, y: Int @requires(fields: "x") }
"""
    )

    assert '  x: Int @join__field(graph: A, override: "b") @join__field(graph: B, external: true)\n' in sdl
