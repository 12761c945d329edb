"""The many ways in which a subgraph may be written, and that they mean the same."""

from composition_corpus import block, composed, subgraphs_of

from graph.composition import Composed, Failed, Location, SubgraphSDL, compose


def test_names_when_imported_under_aliases_and_namespaces_then_they_mean_the_same() -> None:
    plain = composed(
        '# subgraph a\ntype Query { a: A @shareable @tag(name: "x") }\ntype A @key(fields: "id") { id: ID! @inaccessible, b: Int }\n'
    )

    renamed = composed(
        """
# subgraph a
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed", import: [{name: "@key", as: "@id"}, "@tag"])
type Query { a: A @fed__shareable @tag(name: "x") }
type A @id(fields: "id") { id: ID! @fed__inaccessible, b: Int }
"""
    )

    assert renamed == plain


def test_roots_when_renamed_then_the_supergraph_has_the_usual_names() -> None:
    sdl = composed(
        """
# subgraph a
schema @link(url: "https://specs.apollo.dev/federation/v2.9") { query: Root, mutation: Change }
type Root { self: Root, a: Int }
type Change { b: Root }
"""
    )

    assert "schema\n" in sdl
    assert "{\n  query: Query\n  mutation: Mutation\n}" in sdl
    assert "  self: Query\n" in block(sdl, "type Query")
    assert "  b: Query\n" in block(sdl, "type Mutation")


def test_machinery_when_printed_by_a_library_then_nothing_of_it_is_left() -> None:
    sdl = composed(
        """
# subgraph a
schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "FieldSet"]) { query: Query }
directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
scalar FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
scalar _Any
union _Entity = A
type _Service { sdl: String! }
type Query { a: A, _entities(representations: [_Any!]!): [_Entity]!, _service: _Service! }
type A @key(fields: "id") { id: ID! }
"""
    )

    assert "_Any" not in sdl
    assert "_Entity" not in sdl
    assert "_service" not in sdl
    assert "scalar FieldSet" not in sdl


def test_machinery_when_a_query_has_nothing_else_then_the_query_is_another_subgraph_s() -> None:
    sdl = composed(
        """
# subgraph a (federation 1)
type Query { _service: _Service! }
type _Service { sdl: String }
type A @key(fields: "id") { id: ID!, b: Int }
# subgraph b (federation 1)
type Query { a: A }
extend type A @key(fields: "id") { id: ID! @external }
"""
    )

    assert "  a: A @join__field(graph: B)\n" in block(sdl, "type Query")


def test_federation_one_when_extended_then_fields_are_shared_and_idle_externals_dropped() -> None:
    sdl = composed(
        """
# subgraph a (federation 1)
type Query { user: User }
type User @key(fields: "id") { id: ID!, name: String, place: Place }
type Place { city: String }
# subgraph b (federation 1)
extend type Query { users: [User] }
type User @extends @key(fields: "id") { id: ID! @external, name: String @external, age: Int, place: Place }
type Place { city: String }
"""
    )

    assert block(sdl, "type User") == (
        "type User\n"
        '  @join__type(graph: A, key: "id")\n'
        '  @join__type(graph: B, key: "id", extension: true)\n'
        "{\n"
        "  id: ID!\n"
        "  name: String @join__field(graph: A)\n"
        "  place: Place\n"
        "  age: Int @join__field(graph: B)\n"
        "}"
    )


def test_federation_one_when_an_interface_has_a_key_then_it_is_ignored() -> None:
    sdl = composed(
        """
# subgraph a (federation 1)
type Query { i: I }
interface I @key(fields: "id") { id: ID! }
type A implements I @key(fields: "id") { id: ID! }
"""
    )

    assert block(sdl, "interface I") == "interface I\n  @join__type(graph: A)\n{\n  id: ID!\n}"


def test_federation_one_when_field_sets_are_lists_or_names_then_they_mean_the_same() -> None:
    sdl = composed(
        """
# subgraph a (federation 1)
type Query { a: A }
type A @key(fields: ["id", "b { c }"]) @key(fields: id) { id: ID!, b: B }
type B { c: Int }
"""
    )

    assert block(sdl, "type A").startswith('type A\n  @join__type(graph: A, key: "id b { c }")\n  @join__type(graph: A, key: "id")\n')


def test_federation_one_when_directives_say_nothing_then_they_are_ignored() -> None:
    sdl = composed(
        """
# subgraph a (federation 1)
type Query { a: A @provides(fields: "b"), n: Int @provides(fields: "b") }
extend type A @key(fields: "id") { id: ID! @external, b: Int @external @tag(name: "x") }
# subgraph b (federation 1)
type A @key(fields: "id") { id: ID!, b: Int, c: C }
type C @external { d: Int }
"""
    )

    assert "  n: Int @join__field(graph: A)\n" in block(sdl, "type Query")
    assert "  b: Int @join__field(graph: A, external: true) @join__field(graph: B)\n" in block(sdl, "type A")
    assert block(sdl, "type C") == "type C\n  @join__type(graph: B)\n{\n  d: Int\n}"
    assert "@tag" not in sdl


def test_syntax_when_it_is_broken_then_the_error_has_its_line() -> None:
    outcome = compose([SubgraphSDL("a", None, "type Query {\n  a: Int\n")])

    assert isinstance(outcome, Failed)
    assert [(error.code, error.locations) for error in outcome.errors] == [("INVALID_GRAPHQL", (Location("a", 3, 1),))]


def test_directive_when_it_is_not_imported_then_the_error_says_how_to() -> None:
    source = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")\ntype Query { a: Int @shareable }'

    outcome = compose([SubgraphSDL("a", None, source)])

    assert isinstance(outcome, Failed)
    assert [error.message for error in outcome.errors] == [
        "[a] Unknown directive '@shareable'. Add \"@shareable\" to the imports of the @link to federation."
    ]


def test_hints_when_an_argument_is_left_out_then_a_hint_says_so() -> None:
    outcome = compose(
        subgraphs_of("# subgraph a\ntype Query { a(x: Int): Int @shareable }\n# subgraph b\ntype Query { a: Int @shareable }\n")
    )

    assert isinstance(outcome, Composed)
    assert [str(hint) for hint in outcome.hints] == [
        'INCONSISTENT_ARGUMENT_PRESENCE: "Query.a(x:)" is not in the supergraph, because b does not define it.'
    ]
