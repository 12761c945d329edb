"""Rights in the gateway (FC-11, AC-02, TC-02; DESIGN §7): a forbidden root field is 403 and nothing runs, a deeper one is null with an
error, and what is forbidden is not fetched: on interfaces, through `@requires`, under fragments and conditions."""

from typing import Any

import pytest
from guarded import SDLS, Guarded, guarded, told

from graph.composing import composed
from graph.composition import Composed, compose
from graph.contracts import SubgraphSDL
from graph.supergraph import read_supergraph


@pytest.fixture(scope="module")
def city() -> Guarded:
    return guarded()


async def test_operation_when_a_root_field_is_forbidden_then_403_and_nothing_runs(city: Guarded) -> None:
    """TC-02: without the role, 403."""
    answer = await city.answer("{ open top }")

    assert (answer.status, answer.body["data"], answer.forbidden) == (403, None, True)
    assert told(answer) == [("FORBIDDEN", ["top"], [["top:read"]])]
    (error,) = answer.body["errors"]
    assert error["message"] == "Query.top needs what you have not been granted: scope top:read"
    assert (error["extensions"]["status"], error["extensions"]["type"]) == (403, "urn:citygraph:problem:forbidden")
    assert city.sent == []


async def test_operation_when_several_root_fields_are_forbidden_then_each_is_told_at_its_alias(city: Guarded) -> None:
    document = 'mutation { a: erase(id: 1) { deletedId } b: erase(id: 2) { deletedId } write(input: {title: "x"}) { doc { id } } }'

    answer = await city.answer(document)

    assert told(answer) == [("FORBIDDEN", ["a"], [["doc:erase"]]), ("FORBIDDEN", ["b"], [["doc:erase"]])]
    assert (answer.status, city.sent) == (403, [])


@pytest.mark.parametrize(
    ("scopes", "status"),
    [((), 403), (("a",), 403), (("b",), 403), (("a", "b"), 200), (("c",), 200), (("c", "x"), 200)],
)
async def test_field_when_it_names_alternatives_then_all_of_any_one_will_do(city: Guarded, scopes: tuple[str, ...], status: int) -> None:
    answer = await city.answer("{ both }", scopes=scopes)

    assert answer.status == status
    assert told(answer) == ([] if status == 200 else [("FORBIDDEN", ["both"], [["a", "b"], ["c"]])])


async def test_field_when_two_subgraphs_protect_it_then_both_must_be_met() -> None:
    sdls = [SubgraphSDL(name, None, SHARED.replace("SCOPES", scopes)) for name, scopes in (("one", '["a"]'), ("two", '["b"], ["c"]'))]
    city = guarded(sdls, composed(sdls))

    assert [(await city.answer("{ shared }", scopes=scopes)).status for scopes in (["a"], ["b"], ["a", "b"], ["a", "c"])] == [
        403,
        403,
        200,
        200,
    ]
    assert told(await city.answer("{ shared }", scopes=["a"])) == [("FORBIDDEN", ["shared"], [["a", "b"], ["a", "c"]])]


SHARED = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable", "@requiresScopes"])
type Query { shared: String @shareable @requiresScopes(scopes: [SCOPES]) }
"""


async def test_field_when_it_asks_for_a_caller_who_is_known_then_nobody_else_may(city: Guarded) -> None:
    known, unknown = await city.answer("{ known }"), await city.answer("{ known }", authenticated=False)

    assert (known.status, known.body) == (200, {"data": {"known": "known"}})
    assert unknown.status == 403
    assert unknown.body["errors"][0]["message"] == "Query.known is for callers who have authenticated themselves"


async def test_caller_with_every_right_when_asking_then_nothing_is_withheld(city: Guarded) -> None:
    answer = await city.answer(
        "{ top both ruled known ghost { name } docs { body must length price code } things { secret weight } }", every=True
    )

    assert "errors" not in answer.body
    assert answer.body["data"]["docs"][0] == {"body": "four", "must": 1, "length": 4, "price": 7, "code": "c"}


async def test_deeper_field_when_forbidden_then_null_with_an_error_at_each_place_and_not_fetched(city: Guarded) -> None:
    answer = await city.answer("{ docs { title words: body ...More } } fragment More on Doc { body }")

    assert answer.status == 200
    assert answer.body["data"] == {"docs": [{"title": title, "words": None, "body": None} for title in ("One", "Two")]}
    assert told(answer) == [("FORBIDDEN", ["docs", index, key], [["doc:read"]]) for index in (0, 1) for key in ("words", "body")]
    assert city.sent == [("things", "{ docs { title } } {}")]


async def test_deeper_field_when_it_may_not_be_null_then_its_null_goes_up(city: Guarded) -> None:
    answer = await city.answer('{ doc(id: "d1") { title must } open }')

    assert answer.body["data"] == {"doc": None, "open": "open"}
    assert told(answer) == [("FORBIDDEN", ["doc", "must"], [["doc:must"]])]
    assert all("must" not in document for _, document in city.sent)


async def test_field_when_its_subgraph_has_nothing_else_to_answer_then_it_is_not_asked(city: Guarded) -> None:
    answer = await city.answer("{ docs { title price } }")

    assert answer.body["data"]["docs"][0] == {"title": "One", "price": None}
    assert [name for name, _ in city.sent] == ["things"]


async def test_field_when_its_scalar_is_protected_then_it_is_too(city: Guarded) -> None:
    answer = await city.answer("{ docs { code title } }")

    assert answer.body["data"]["docs"][1] == {"code": None, "title": "Two"}
    assert told(answer)[0] == ("FORBIDDEN", ["docs", 0, "code"], [["code:read"]])
    assert all("code" not in document for _, document in city.sent)


@pytest.mark.parametrize("selection", ["id", "__typename"])
async def test_root_field_when_its_type_is_protected_then_whatever_is_selected_is_403(city: Guarded, selection: str) -> None:
    answer = await city.answer(f"{{ open ghost {{ {selection} }} }}")

    assert (answer.status, told(answer), city.sent) == (403, [("FORBIDDEN", ["ghost"], [["ghost:see"]])], [])


async def test_interface_field_when_one_implementation_protects_it_then_objects_of_that_type_lack_it(city: Guarded) -> None:
    answer = await city.answer("{ things { weight } }", scopes=["ghost:see"])

    assert answer.body["data"] == {"things": [{"weight": None}, {"weight": 3}, {"weight": 3}]}
    assert told(answer) == [("FORBIDDEN", ["things", 0, "weight"], [["stone:weigh"]])]
    (sent,) = (document for _, document in city.sent)
    assert "... on Stone" not in sent


@pytest.mark.parametrize("selection", ["__typename", "id", "... on Ghost { name }", "...All", "... on Thing { note }"])
async def test_interface_when_an_object_is_of_a_protected_type_then_it_is_null_and_nothing_of_it_is_fetched(
    city: Guarded, selection: str
) -> None:
    fragment = " fragment All on Thing { id name }" if selection == "...All" else ""

    answer = await city.answer(f"{{ docs {{ thing {{ {selection} }} }} }}{fragment}")

    assert [one["thing"] is None for one in answer.body["data"]["docs"]] == [False, True]
    assert told(answer) == [("FORBIDDEN", ["docs", 1, "thing"], [["ghost:see"]])]
    assert all("Ghost" not in document and "'id': 'g'" not in document for _, document in city.sent)


async def test_interface_when_a_list_may_not_have_nulls_then_a_protected_object_costs_the_list(city: Guarded) -> None:
    answer = await city.answer("{ things { id } }")

    assert (answer.status, answer.body["data"]) == (200, None)
    assert told(answer) == [("FORBIDDEN", ["things", 1], [["ghost:see"]])]


async def test_interface_object_field_when_protected_then_its_neighbours_still_come(city: Guarded) -> None:
    answer = await city.answer("{ thing { id note secret ... on Stone { again: secret } } }")

    assert answer.body["data"] == {"thing": {"id": "s", "note": "a note", "secret": None, "again": None}}
    assert told(answer) == [("FORBIDDEN", ["thing", key], [["extra:read"]]) for key in ("secret", "again")]
    assert all("secret" not in document for _, document in city.sent)


async def test_interface_object_field_when_granted_then_it_is_answered(city: Guarded) -> None:
    answer = await city.answer("{ thing { secret } }", scopes=["extra:read"])

    assert answer.body["data"] == {"thing": {"secret": "a secret"}}


async def test_union_when_one_member_is_protected_then_the_others_are_not(city: Guarded) -> None:
    answer = await city.answer("{ either { __typename ... on Doc { title } } }")

    assert (answer.status, answer.body["data"]) == (200, {"either": None})
    assert told(answer) == [("FORBIDDEN", ["either"], [["ghost:see"]])]


@pytest.mark.parametrize(
    ("directive", "variables", "status"),
    [
        ("@skip(if: $no)", {"no": True}, 200),
        ("@skip(if: $no)", {"no": False}, 403),
        ("@include(if: $no)", {"no": True}, 403),
        ("@include(if: $no)", {"no": False}, 200),
        ("@include(if: $no) @skip(if: $no)", {"no": True}, 200),
    ],
)
async def test_forbidden_root_field_when_skipped_by_a_variable_then_it_does_not_count(
    city: Guarded, directive: str, variables: dict[str, Any], status: int
) -> None:
    answer = await city.answer(f"query($no: Boolean!) {{ open top {directive} }}", variables)

    assert answer.status == status
    assert answer.body["data"] == ({"open": "open"} if status == 200 else None)
    assert len(city.sent) == (1 if status == 200 else 0)


async def test_forbidden_field_when_skipped_then_there_is_no_error(city: Guarded) -> None:
    query = "query($no: Boolean!) { docs { title ... @skip(if: $no) { body } ... on Doc @include(if: false) { must } } }"

    skipped, asked = [await city.answer(query, {"no": no}) for no in (True, False)]

    assert skipped.body == {"data": {"docs": [{"title": "One"}, {"title": "Two"}]}}
    assert told(asked) == [("FORBIDDEN", ["docs", index, "body"], [["doc:read"]]) for index in (0, 1)]


async def test_forbidden_field_when_deferred_then_it_is_told_all_the_same(city: Guarded) -> None:
    deeper = await city.answer("{ docs { title ... @defer { body } } }")
    root = await city.answer("{ open ... @defer { top } }")

    assert deeper.body["data"]["docs"][0] == {"title": "One", "body": None}
    assert (root.status, told(root)) == (403, [("FORBIDDEN", ["top"], [["top:read"]])])


async def test_required_value_when_forbidden_then_neither_it_nor_what_is_made_of_it_is_fetched(city: Guarded) -> None:
    answer = await city.answer("{ docs { length price } }", scopes=["price:read"])

    assert answer.body["data"]["docs"][0] == {"length": None, "price": 7}
    assert told(answer) == [("FORBIDDEN", ["docs", index, "length"], [["doc:read"]]) for index in (0, 1)]
    assert all("body" not in document and "length" not in document for _, document in city.sent)


async def test_required_value_when_a_foreign_supergraph_forgot_to_protect_what_is_made_of_it_then_it_is_protected() -> None:
    """Composition refuses such subgraphs; a supergraph that somebody else composed may still come with them."""
    composition = compose(SDLS)
    assert isinstance(composition, Composed)
    protected = 'length: Int @join__field(graph: PRICES, requires: "body") @requiresScopes(scopes: [["doc:read"]])'
    assert protected in composition.supergraph_sdl
    sdl = composition.supergraph_sdl.replace(protected, protected.partition(" @requiresScopes")[0])
    city = guarded(supergraph=read_supergraph(sdl))

    answer = await city.answer("{ docs { length } }")

    assert answer.body["data"]["docs"] == [{"length": None}, {"length": None}]
    assert told(answer)[0] == ("FORBIDDEN", ["docs", 0, "length"], [["doc:read"]])
    assert all("body" not in document for _, document in city.sent)


async def test_interface_when_a_foreign_supergraph_protects_it_alone_then_its_implementations_are_protected() -> None:
    sdl = OWN_INTERFACE
    supergraph = read_supergraph(sdl)

    assert sorted(supergraph.demands.types) == ["A", "B"]
    assert sorted(supergraph.demands.fields) == [("A", "name"), ("B", "name"), ("Query", "a")]
    assert supergraph.demands.behind == {("Query", "thing"): frozenset({"A", "B"})}


OWN_INTERFACE = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", as: "needs", for: SECURITY) { query: Query }
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!) repeatable on OBJECT | INTERFACE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @needs(scopes: [[needs__Scope!]!]!) on OBJECT | INTERFACE | FIELD_DEFINITION
scalar needs__Scope
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { ONE @join__graph(name: "one", url: "") }
interface Thing @join__type(graph: ONE) @needs(scopes: [["thing"]]) { id: ID name: String @needs(scopes: [["name"]]) }
type A implements Thing @join__type(graph: ONE) @join__implements(graph: ONE, interface: "Thing") { id: ID name: String }
type B implements Thing @join__type(graph: ONE) @join__implements(graph: ONE, interface: "Thing") { id: ID name: String }
type Query @join__type(graph: ONE) { thing: Thing a: A }
"""


async def test_token_when_its_scope_claim_names_what_roles_bring_then_that_counts_for_nothing() -> None:
    sdls = [SubgraphSDL("one", None, MODELS)]
    city = guarded(sdls, composed(sdls))

    claimed = await city.answer("{ models }", scopes=["models:read", "*x"])
    given = await city.answer("{ models }", roles=["dth_viewer"])
    other = await city.answer("{ models }", roles=["dt_viewer", "no such role"])

    assert [one.status for one in (claimed, given, other)] == [403, 200, 403]


MODELS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
type Query { models: String @requiresScopes(scopes: [["models:read"]]) }
"""


async def test_schema_without_protection_when_asked_then_everybody_may() -> None:
    sdls = [SubgraphSDL("one", None, "type Query { open: String }")]

    assert (await guarded(sdls, composed(sdls)).answer("{ open }", authenticated=False)).body == {"data": {"open": "open"}}
