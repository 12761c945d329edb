"""Parts of an answer: which there are, when each is told, and which errors go with it."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import graphql_sync, parse, validate

from graph.composition import Composed, SubgraphSDL, compose
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.errors import GraphQLValidationFailed
from graph.executor import Executor, ExecutorLimits
from graph.executor.incremental import Delivery
from graph.planner import Planner
from tests.federation_audit.subgraph import Behaviour, build_subgraph

CONTEXT = RequestContext(Principal("somebody", "tenant"), "request-1")
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])\n'
SDLS = {
    "shops": 'type Query { shop: Shop  shops: [Shop!]!  none: Shop }  type Shop @key(fields: "id") { id: ID!  name: String  next: Shop }',
    "stock": 'type Shop @key(fields: "id") { id: ID!  stock: Int  must: Int! }',
    "news": """
type Query { headline: String }
type Shop @key(fields: "id") { id: ID!  news: String  owner: Person }
type Person { name: String }
""",
}
SHOPS = [{"__typename": "Shop", "id": "1", "name": "One", "next": "2"}, {"__typename": "Shop", "id": "2", "name": "Two", "next": None}]


def _shop(identifier: str) -> dict[str, Any]:
    return next(one for one in SHOPS if one["id"] == identifier)


def _must(source: Any) -> int:
    if source["id"] == "2":
        raise ValueError("there is no such thing")
    return 1


BEHAVIOUR = Behaviour(
    records={"Shop": [{**one, "stock": 5, "news": f"news of {one['name']}", "owner": {"name": "Ada"}} for one in SHOPS]},
    resolvers={
        "*": {
            "Query.shop": lambda _source: SHOPS[0],
            "Query.shops": lambda _source: SHOPS,
            "Query.none": lambda _source: None,
            "Query.headline": lambda _source: "today",
            "Shop.must": _must,
            "Shop.next": lambda source: _shop(source["next"]) if source["next"] else None,
        }
    },
)


@dataclass
class Gated:
    """A subgraph that answers when its gate is open."""

    schema: Any
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        result = graphql_sync(self.schema, request.document, variable_values=dict(request.variables))
        return SubgraphResponse(result.data, [dict(error.formatted) for error in result.errors or ()])

    async def close(self) -> None:
        pass


class City:
    """The gateway over the subgraphs; those that are not `slow` answer at once."""

    def __init__(self, *slow: str, timeout: float = 30) -> None:
        composed = compose([SubgraphSDL(name, None, LINK + sdl) for name, sdl in SDLS.items()])
        assert isinstance(composed, Composed), composed
        self.schema = composed.supergraph.api_schema
        self.planner = Planner(composed.supergraph)
        self.subgraphs = {name: Gated(build_subgraph(name, LINK + sdl, BEHAVIOUR)) for name, sdl in SDLS.items()}
        for name, one in self.subgraphs.items():
            if name not in slow:
                one.gate.set()
        self.executor = Executor(self.schema, self.subgraphs, ExecutorLimits(operation_timeout=timeout))

    def deliver(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        document = parse(query)
        assert validate(self.schema, document) == []
        return aclosing(self.executor.deliver(self.planner.plan(document), variables or {}, CONTEXT))

    async def all(self, query: str, variables: Mapping[str, Any] | None = None) -> list[Delivery]:
        async with self.deliver(query, variables) as deliveries:
            return [one async for one in deliveries]


def told(delivery: Delivery) -> list[tuple[str | None, list[str | int], Any]]:
    """Label, path and data of each part."""
    return [(part.pending.label, list(part.pending.path), part.data) for part in delivery.parts]


def paths(errors: list[dict[str, Any]]) -> list[Any]:
    return [error.get("path") for error in errors]


async def test_deferred_fragments_when_one_is_slow_then_the_others_do_not_wait() -> None:
    city = City("stock")
    query = '{ shop { name ... @defer(label: "stock") { stock } ... @defer(label: "news") { news } } }'

    async with city.deliver(query) as deliveries:
        first, second = await anext(deliveries), await anext(deliveries)
        city.subgraphs["stock"].gate.set()
        third = await anext(deliveries)

    assert first.initial is not None
    assert first.initial.data == {"shop": {"name": "One"}}
    assert [(one.label, one.path) for one in first.pending] == [("stock", ("shop",)), ("news", ("shop",))]
    assert (told(second), second.has_next) == ([("news", ["shop"], {"news": "news of One"})], True)
    assert (told(third), third.has_next) == ([("stock", ["shop"], {"stock": 5})], False)


async def test_deferred_fragments_when_nested_then_the_inner_one_comes_after_the_outer() -> None:
    city = City("stock", "news")
    query = '{ shop { name ... @defer(label: "outer") { stock ... @defer(label: "inner") { news } } } }'

    async with city.deliver(query) as deliveries:
        first = await anext(deliveries)
        city.subgraphs["news"].gate.set()
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(0.01)
        early = waiting.done()
        city.subgraphs["stock"].gate.set()
        second = await waiting

    assert [one.label for one in first.pending] == ["outer"]
    assert not early
    assert [one.label for one in second.pending] == ["inner"]
    assert told(second) == [("outer", ["shop"], {"stock": 5}), ("inner", ["shop"], {"news": "news of One"})]
    assert not second.has_next


async def test_deferred_fragment_when_in_a_list_then_has_a_part_for_each_object() -> None:
    first, *others = await City().all("{ shops { id ... @defer { news next { name ... @defer { stock } } } } }")

    assert first.initial is not None
    assert first.initial.data == {"shops": [{"id": "1"}, {"id": "2"}]}
    assert [part for delivery in others for part in told(delivery)] == [
        (None, ["shops", 0], {"news": "news of One", "next": {"name": "Two"}}),
        (None, ["shops", 1], {"news": "news of Two", "next": None}),
        (None, ["shops", 0, "next"], {"stock": 5}),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { name ... @defer(if: false) { stock } } }",
        "query ($later: Boolean! = false) { shop { name ... @defer(if: $later) { stock } } }",
        "{ shop { name stock ... @defer { stock } } }",
        "{ shop { stock ... @defer { name } } }",
    ],
)
async def test_deferred_fragment_when_it_need_not_wait_then_is_answered_at_once(query: str) -> None:
    (only,) = await City().all(query, {"later": False})

    assert only.initial is not None
    assert (only.initial.data, only.pending, only.has_next) == ({"shop": {"name": "One", "stock": 5}}, (), False)


async def test_deferred_fragment_when_its_variable_says_so_then_waits() -> None:
    first, second = await City().all("query ($later: Boolean!) { shop { name ... @defer(if: $later) { stock } } }", {"later": True})

    assert first.initial is not None
    assert first.initial.data == {"shop": {"name": "One"}}
    assert told(second) == [(None, ["shop"], {"stock": 5})]


async def test_deferred_fragment_when_its_object_is_null_then_has_no_part() -> None:
    city = City("stock")

    (only,) = await city.all("{ none { name ... @defer { stock } } }")

    assert only.initial is not None
    assert (only.initial.data, only.has_next) == ({"none": None}, False)
    assert not city.subgraphs["stock"].asked.is_set()


async def test_non_null_field_when_it_fails_in_a_deferred_fragment_then_its_part_is_null_and_the_others_are_not() -> None:
    first, second = await City().all("{ shops { id ... @defer { must ... @defer { news } } } }")

    assert first.initial is not None
    assert first.initial.errors == []
    assert told(second) == [(None, ["shops", 0], {"must": 1}), (None, ["shops", 1], None), (None, ["shops", 0], {"news": "news of One"})]
    assert [paths(part.errors) for part in second.parts] == [[], [["shops", 1, "must"]], []]


async def test_subgraph_when_it_fails_then_the_part_that_waits_for_it_has_the_error() -> None:
    city = City()
    city.subgraphs["news"].failure = ValueError("gone")

    first, *others = await city.all('{ shop { name ... @defer(label: "a") { stock } ... @defer(label: "b") { news owner { name } } } }')

    assert first.initial is not None
    assert first.initial.errors == []
    by_label = {part.pending.label: part for delivery in others for part in delivery.parts}
    assert by_label["a"].errors == []
    assert by_label["b"].data == {"news": None, "owner": None}
    assert paths(by_label["b"].errors) == [["shop", "news"], ["shop", "owner"]]


async def test_object_when_an_earlier_part_made_it_null_then_no_later_one_brings_it_back() -> None:
    """One client merges both: the answer in one piece has null there."""
    first, second = await City().all("{ shop { id next { must } ... @defer { next { news } } } }")

    assert first.initial is not None
    assert first.initial.data == {"shop": {"id": "1", "next": None}}
    assert told(second) == [(None, ["shop"], {"next": None})]


async def test_operation_when_its_time_is_over_then_what_is_missing_is_told_with_errors() -> None:
    first, second = await City("stock", timeout=0.05).all("{ shop { name ... @defer { stock } } }")

    assert first.initial is not None
    assert first.initial.data == {"shop": {"name": "One"}}
    (part,) = second.parts
    assert (part.data, second.has_next) == ({"stock": None}, False)
    assert [(error["path"], error["extensions"]["code"]) for error in part.errors] == [(["shop", "stock"], "REQUEST_TIMEOUT")]


async def test_parts_when_nobody_wants_them_any_more_then_their_fetches_end_and_nobody_is_blamed() -> None:
    city = City("stock")

    async with city.deliver("{ shop { name ... @defer { stock } } }") as deliveries:
        await anext(deliveries)
        await city.subgraphs["stock"].asked.wait()

    assert city.executor.health.of("stock").consecutive_failures == 0
    assert len(asyncio.all_tasks()) == 1


async def test_introspection_when_deferred_then_is_answered_at_once() -> None:
    (only,) = await City().all("{ headline ... @defer { __schema { queryType { name } } } }")

    assert only.initial is not None
    assert only.initial.data == {"headline": "today", "__schema": {"queryType": {"name": "Query"}}}


async def test_labels_when_they_look_like_our_own_then_stay_apart() -> None:
    query = '{ shop { name ... @defer { stock } ... @defer(label: "#1") { news } } }'

    first, *others = await City().all(query)

    assert [one.label for one in first.pending] == [None, "#1"]
    parts = [part for delivery in others for part in delivery.parts]
    assert {part.pending.label: part.data for part in parts} == {None: {"stock": 5}, "#1": {"news": "news of One"}}


async def test_deferrals_when_fragments_multiply_them_then_are_bounded() -> None:
    depth = 9
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} @defer ...F{n + 1} @defer }}" for n in range(depth)]
    document = parse(f"{{ ...F0 }} {' '.join(fragments)} fragment F{depth} on Query {{ headline }}")

    with pytest.raises(GraphQLValidationFailed, match="more than 200 `@defer`"):
        City().planner.plan(document)
