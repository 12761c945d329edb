"""Supergraph SDLs as other tools print them, join v0.1 to v0.5, and what is refused."""

import pytest
from graphql import print_schema

from graph.composition import Composed, SubgraphSDL, compose
from graph.contracts import OperationKind
from graph.supergraph import SupergraphError, read_supergraph
from graph.supergraph.field_sets import SelectedField, SelectedFragment, parse_field_set
from graph.supergraph.model import FieldSource, KeyUse

GRAPHS = """
enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts", url: "http://accounts")
  REVIEWS @join__graph(name: "reviews", url: "")
}
"""
DEFER = (
    '"""\nWhat the fragment selects may be delivered after the rest of the answer.\n"""\n'
    "directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT\n\n"
)
FEDERATION_ONE = (
    """
schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1") { query: Query }
directive @core(feature: String!) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet) on FIELD_DEFINITION
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | INTERFACE
directive @join__owner(graph: join__Graph!) on OBJECT | INTERFACE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
scalar join__FieldSet
type Query { me: User @join__field(graph: ACCOUNTS) }
type User
  @join__owner(graph: ACCOUNTS)
  @join__type(graph: ACCOUNTS, key: "id")
  @join__type(graph: REVIEWS, key: "id")
{
  id: ID!
  name: String
  reviews: [Review] @join__field(graph: REVIEWS, requires: "name")
}
type Review { body: String }
"""
    + GRAPHS
)


def test_supergraph_of_join_v01_when_read_then_fields_without_join_belong_to_the_owner() -> None:
    supergraph = read_supergraph(FEDERATION_ONE)

    user = supergraph.types["User"]
    assert {name: sorted(f.sources) for name, f in user.fields.items()} == {
        "id": ["accounts"],
        "name": ["accounts"],
        "reviews": ["reviews"],
    }
    assert user.fields["reviews"].sources["reviews"] == FieldSource(requires=(SelectedField("name"),))
    assert user.subgraphs["reviews"].keys == (KeyUse((SelectedField("id"),)),)
    assert sorted(supergraph.types["Review"].fields["body"].sources) == ["accounts", "reviews"]
    assert supergraph.subgraphs["reviews"].url is None
    assert supergraph.root_types == {OperationKind.QUERY: "Query"}


def test_api_schema_when_read_then_has_nothing_of_federation() -> None:
    supergraph = read_supergraph(FEDERATION_ONE)

    assert print_schema(supergraph.api_schema) == (
        DEFER + "type Query {\n  me: User\n}\n\ntype User {\n  id: ID!\n  name: String\n  reviews: [Review]\n}\n\n"
        "type Review {\n  body: String\n}"
    )


def test_api_schema_when_elements_are_inaccessible_then_leaves_them_and_what_needs_them_out() -> None:
    sdl = """
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@inaccessible"])
    type Query { a(x: Int, y: Int @inaccessible): Int hidden: Secret any: Any }
    type Mutation @inaccessible { b: Int }
    type Secret @inaccessible { s: Int }
    type Open { o: Colour }
    union Any = Open | Secret
    enum Colour { RED GREEN @inaccessible }
    """.replace("hidden: Secret", "hidden: Secret @inaccessible")

    composed = compose([SubgraphSDL("a", None, sdl)])

    assert isinstance(composed, Composed), composed
    assert composed.supergraph.full_schema.mutation_type is not None
    assert "GREEN" in composed.supergraph.full_schema.type_map["Colour"].values  # type: ignore[attr-defined]
    assert print_schema(composed.supergraph.api_schema) == (
        DEFER + "union Any = Open\n\n"
        "enum Colour {\n  RED\n}\n\n"
        "type Open {\n  o: Colour\n}\n\n"
        "type Query {\n  a(x: Int): Int\n  any: Any\n}"
    )


@pytest.mark.parametrize(
    ("sdl", "message"),
    [
        ("type Query {", "the supergraph is not GraphQL"),
        ("type Query { a: Int }", "no `enum join__Graph`"),
        ("enum join__Graph { A }", "join__Graph.A lacks @join__graph"),
        (GRAPHS + "type Query @join__type(graph: NOBODY) { a: Int }", "NOBODY is not a value of join__Graph"),
        (GRAPHS + 'type Query @join__type(graph: ACCOUNTS, key: "{") { a: Int }', "'{' is not a field set"),
    ],
)
def test_text_that_is_no_supergraph_when_read_is_refused_with_the_reason(sdl: str, message: str) -> None:
    with pytest.raises(SupergraphError, match=message.replace("{", r"\{").replace("`", ".")):
        read_supergraph(sdl)


def test_field_set_when_parsed_keeps_arguments_and_fragments() -> None:
    assert parse_field_set('price(currency: "EUR") data { ... on Book { isbn } }') == (
        SelectedField("price", (("currency", '"EUR"'),)),
        SelectedField("data", (), (SelectedFragment("Book", (SelectedField("isbn"),)),)),
    )
    assert parse_field_set("{ id }") == (SelectedField("id"),)
    with pytest.raises(ValueError, match="named fragment"):
        parse_field_set("...Name")
