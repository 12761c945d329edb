"""The printed API: every element of it, with the directives that tell clients something, and no others."""

from graphql import build_schema

from graph.composition import Composed, SubgraphSDL, compose
from graph.supergraph import read_supergraph
from graph.supergraph.public_schema import print_public_schema

LINK = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag", "@inaccessible", "@requiresScopes", "@composeDirective"])
  @link(url: "https://citygraph.dev/spec/v1.0", import: [IMPORTS])
"""
ONE = (
    LINK.replace("IMPORTS", '"@semanticId", "@personalData"')
    + """
  @composeDirective(name: "@semanticId") @composeDirective(name: "@personalData")
directive @semanticId(urn: String!) on FIELD_DEFINITION
directive @personalData(pseudonymous: Boolean! = false) on FIELD_DEFINITION
type Query { thing(id: ID! @tag(name: "x")): Thing @requiresScopes(scopes: [["b", "a"], ["c"]]) hidden: Int @inaccessible }
interface Thing @key(fields: "id") { "Its name." id: ID! @semanticId(urn: "urn:one") }
type Stone implements Thing @key(fields: "id") @requiresScopes(scopes: [["a"]]) {
  id: ID! @semanticId(urn: "urn:one")
  by: String @personalData(pseudonymous: true) @deprecated(reason: "old")
}
"""
)
TWO = (
    LINK.replace("IMPORTS", '"@semanticId"')
    + """
  @composeDirective(name: "@semanticId")
directive @semanticId(urn: String!) on FIELD_DEFINITION
type Query { two: Int }
type Stone @key(fields: "id") { id: ID! weight: Int @semanticId(urn: "urn:two") }
"""
)


def _supergraph() -> str:
    composition = compose([SubgraphSDL("one", None, ONE), SubgraphSDL("two", None, TWO)])
    assert isinstance(composition, Composed), composition.errors
    return composition.supergraph_sdl


def test_public_schema_when_printed_then_applied_directives_show_and_machinery_does_not() -> None:
    assert print_public_schema(_supergraph()) == EXPECTED


EXPECTED = '''directive @personalData(pseudonymous: Boolean! = false) on FIELD_DEFINITION

"Callers must have been granted all scopes of any one of the lists."
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | SCALAR | ENUM

directive @semanticId(urn: String!) on FIELD_DEFINITION

"""
What the fragment selects may be delivered after the rest of the answer.
"""
directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT

type Query {
  thing(id: ID!): Thing @requiresScopes(scopes: [["a", "b"], ["c"]])
  two: Int
}

type Stone implements Thing @requiresScopes(scopes: [["a"]]) {
  id: ID! @semanticId(urn: "urn:one")
  by: String @deprecated(reason: "old") @personalData(pseudonymous: true)
  weight: Int @semanticId(urn: "urn:two")
}

interface Thing {
  """Its name."""
  id: ID! @semanticId(urn: "urn:one")
}
'''


def test_public_schema_when_read_again_then_it_is_the_api() -> None:
    sdl = _supergraph()
    printed = build_schema(print_public_schema(sdl))
    api = read_supergraph(sdl).api_schema

    assert set(printed.type_map) == set(api.type_map)
    marked = {"personalData", "requiresScopes", "semanticId"}
    assert {one.name for one in printed.directives} - {one.name for one in api.directives} == marked
