"""Contracts: which public API is left of a supergraph, and when a contract is refused."""

import pytest
from graphql import print_schema

from graph.composition import Composed, SubgraphSDL, compose
from graph.supergraph import ContractError, SupergraphError, filtered, read_supergraph

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@tag", "@inaccessible"])\n'

CITY = """
type Query {
  city: City @tag(name: "public")
  audit: [Entry!] @tag(name: "internal")
  find(where: Where, sort: Sort = NAME): [Place] @tag(name: "public")
}
type City @key(fields: "id") { id: ID! @tag(name: "public") budget: Budget name: String @tag(name: "public") @tag(name: "internal") }
type Budget { total: Int }
type Entry { at: String }
interface Place { id: ID! @tag(name: "public") }
type Park implements Place @tag(name: "public") { id: ID! trees: Int }
type Bunker implements Place @tag(name: "internal") { id: ID! }
input Where { text: String depth: Int @tag(name: "internal") }
enum Sort { NAME SECRET @tag(name: "internal") }
scalar Unused
"""


def _supergraph(sdl: str) -> str:
    outcome = compose([SubgraphSDL("a", None, LINK + sdl)])
    assert isinstance(outcome, Composed), outcome
    return outcome.supergraph_sdl


def _api(supergraph_sdl: str) -> list[str]:
    """Its types, printed."""
    return [part for part in print_schema(read_supergraph(supergraph_sdl).api_schema).split("\n\n") if "directive @" not in part]


def _problems(sdl: str, *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> tuple[str, ...]:
    with pytest.raises(ContractError) as raised:
        filtered(_supergraph(sdl), include=include, exclude=exclude)
    return raised.value.problems


def test_contract_when_tags_are_excluded_then_the_rest_is_left() -> None:
    api = _api(filtered(_supergraph(CITY), exclude=["internal"]))

    assert api == [
        "type Budget {\n  total: Int\n}",
        "type City {\n  id: ID!\n  budget: Budget\n}",
        "type Park implements Place {\n  id: ID!\n  trees: Int\n}",
        "interface Place {\n  id: ID!\n}",
        "type Query {\n  city: City\n  find(where: Where, sort: Sort = NAME): [Place]\n}",
        "enum Sort {\n  NAME\n}",
        "input Where {\n  text: String\n}",
    ]


def test_contract_when_tags_are_included_then_they_are_left_with_what_they_need() -> None:
    api = _api(filtered(_supergraph(CITY), include=["public"]))

    assert api == [
        "type City {\n  id: ID!\n  name: String\n}",
        "type Park implements Place {\n  id: ID!\n  trees: Int\n}",
        "interface Place {\n  id: ID!\n}",
        "type Query {\n  city: City\n  find(where: Where, sort: Sort = NAME): [Place]\n}",
        "enum Sort {\n  NAME\n  SECRET\n}",
        "input Where {\n  text: String\n  depth: Int\n}",
    ]


def test_contract_when_an_element_is_both_included_and_excluded_then_it_is_hidden() -> None:
    api = _api(filtered(_supergraph(CITY), include=["public"], exclude=["internal"]))

    assert "type City {\n  id: ID!\n}" in api
    assert "enum Sort {\n  NAME\n}" in api


def test_contract_when_nothing_is_asked_of_it_then_unreachable_types_alone_vanish() -> None:
    full, api = _api(_supergraph(CITY)), _api(filtered(_supergraph(CITY)))

    assert [part for part in full if part not in api] == ["scalar Unused"]


def test_contract_when_fields_are_hidden_then_the_gateway_still_knows_them() -> None:
    supergraph = read_supergraph(filtered(_supergraph(CITY), exclude=["internal"]))

    assert sorted(supergraph.types["City"].fields) == ["budget", "id", "name"]
    assert supergraph.types["City"].fields["name"].sources.keys() == {"a"}


def test_contract_when_it_is_made_twice_then_the_second_changes_nothing() -> None:
    once = filtered(_supergraph(CITY), exclude=["internal"])

    assert filtered(once, exclude=["internal"]) == once
    assert once.count("directive @inaccessible") == 1
    assert once.count("https://specs.apollo.dev/inaccessible/v0.2") == 1


def test_contract_when_all_members_of_a_union_are_hidden_then_the_union_is() -> None:
    sdl = 'type Query { a: Int u: U @tag(name: "x") } union U = A | B type A @tag(name: "x") { a: Int } type B @tag(name: "x") { b: Int }'

    assert _api(filtered(_supergraph(sdl), exclude=["x"])) == ["type Query {\n  a: Int\n}"]


def test_contract_when_a_union_is_not_included_then_what_has_it_is_refused() -> None:
    sdl = 'type Query @tag(name: "x") { u: U } union U = A type A @tag(name: "x") { a: Int }'

    assert _problems(sdl, include=("x",)) == ("Query.u is of the type U, of which nothing is left: tag both alike",)


def test_contract_when_the_supergraph_is_of_join_v01_then_inaccessible_is_a_core_feature() -> None:
    sdl = """
schema @core(feature: "https://specs.apollo.dev/core/v0.2") @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION)
  @core(feature: "https://specs.apollo.dev/tag/v0.1") { query: Query }
directive @core(feature: String!, as: String, for: core__Purpose) repeatable on SCHEMA
directive @join__field(graph: join__Graph) on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @tag(name: String!) repeatable on FIELD_DEFINITION
enum core__Purpose { EXECUTION SECURITY }
enum join__Graph { A @join__graph(name: "a", url: "") }
type Query { a: Int @join__field(graph: A) b: Int @join__field(graph: A) @tag(name: "x") }
"""

    contract = filtered(sdl, exclude=["x"])

    assert '@core(feature: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) {' in contract
    assert _api(contract) == ["type Query {\n  a: Int\n}"]


@pytest.mark.parametrize(
    ("sdl", "problem"),
    [
        (
            'type Query { a: Int @tag(name: "x") }',
            "nothing is left to ask for: no field of Query remains; tag one that the contract includes, or exclude less",
        ),
        (
            'type Query { a: A } type A @tag(name: "x") { a: Int }',
            "Query.a is of the type A, of which nothing is left: tag both alike",
        ),
        (
            'type Query { a(b: Int! @tag(name: "x")): Int }',
            "Query.a(b:) is hidden, but whoever asks for Query.a must give it: let it be null, give it a default, or show it",
        ),
        (
            'type Query { a(i: I): Int } input I { b: Int! @tag(name: "x") c: Int }',
            "I.b is hidden, but whoever gives a I must give it: let it be null, give it a default, or show it",
        ),
        (
            'type Query { a(i: I): Int } input I @tag(name: "x") { b: Int }',
            "Query.a(i:) is of the type I, of which nothing is left: tag both alike",
        ),
        (
            'type Query { a(e: E = X): Int } enum E { X @tag(name: "x") Y }',
            "Query.a(e:) has a default that uses E.X, which is hidden: choose another default, or show it",
        ),
        (
            'type Query { a(i: I = {b: [{b: null}]}): Int } input I { b: [I] @tag(name: "x") c: Int }',
            "Query.a(i:) has a default that uses I.b, which is hidden: choose another default, or show it",
        ),
        (
            'type Query { a: I } interface I { b: Int c: Int } type A implements I { b: Int @tag(name: "x") c: Int }',
            "A.b is hidden, but implements I.b, which is not: hide both or none",
        ),
        (
            'type Query { a: I } interface I { b(n: Int): Int } type A implements I { b(n: Int @tag(name: "x")): Int }',
            "A.b(n:) is hidden, but I.b(n:), which it implements, is not: hide both or none",
        ),
    ],
)
def test_contract_when_something_visible_needs_what_is_hidden_then_it_is_refused(sdl: str, problem: str) -> None:
    assert _problems(sdl, exclude=("x",)) == (problem,)


def test_contract_when_an_interface_s_field_is_of_a_hidden_type_then_it_goes_with_it() -> None:
    sdl = """
type Query { a: I }
interface I { b: B c: Int }
type A implements I { b: B @tag(name: "x") c: Int }
type B @tag(name: "x") { b: Int }
"""

    assert _api(filtered(_supergraph(sdl), exclude=["x"])) == [
        "type A implements I {\n  c: Int\n}",
        "interface I {\n  c: Int\n}",
        "type Query {\n  a: I\n}",
    ]


def test_contract_when_a_tag_is_both_included_and_excluded_then_it_is_refused() -> None:
    assert _problems(CITY, include=("public",), exclude=("public",)) == ("public cannot be both included and excluded",)


@pytest.mark.parametrize("name", ["", "a b", "x" * 129])
def test_contract_when_a_tag_has_no_possible_name_then_it_is_refused(name: str) -> None:
    assert _problems(CITY, include=(name,)) == (
        f"{name!r} is no name of a tag: expected 1 to 128 letters, digits, hyphens, underscores and slashes",
    )


def test_contract_when_the_text_is_no_graphql_then_it_is_refused_as_a_supergraph() -> None:
    with pytest.raises(SupergraphError, match="the supergraph is not GraphQL"):
        filtered("type", include=["x"])


def test_contract_when_refused_then_the_message_has_all_problems() -> None:
    sdl = 'type Query { a: A b: B } type A @tag(name: "x") { a: Int } type B @tag(name: "x") { a: Int }'

    with pytest.raises(ContractError) as raised:
        filtered(_supergraph(sdl), exclude=["x"])

    assert str(raised.value) == (
        "the contract cannot be kept:\n"
        "- Query.a is of the type A, of which nothing is left: tag both alike\n"
        "- Query.b is of the type B, of which nothing is left: tag both alike"
    )
