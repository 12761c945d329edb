"""`@fromContext`: an argument that the nearest object above fills, for entities of another request."""

from copy import deepcopy
from typing import Any

from graphql import parse

from graph.composition import Composed, SubgraphSDL, compose
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor import Executor
from graph.planner import Planner

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@context", "@fromContext"])\n'
    "scalar federation__ContextFieldValue\n"
)
SHOPS = LINK + (
    "type Query { shops: [Shop!]! }"
    ' type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String! best: Item items: [Item!]! }'
    ' type Item @key(fields: "id") { id: ID! price(in: String @fromContext(field: "$shop { currency }")): String! }'
)
ITEMS = LINK + 'type Query { none: Int } type Item @key(fields: "id") { id: ID! }'
SHOP_DATA = [
    {"id": "1", "currency": "EUR", "best": {"id": "a"}, "items": [{"id": "a"}, {"id": "b"}]},
    {"id": "2", "currency": "SEK", "best": {"id": "a"}, "items": []},
    {"id": "3", "currency": "EUR", "best": None, "items": [{"id": "c"}]},
]


class Shops:
    """The one subgraph: it answers both of the plan's requests and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        representations = request.variables.get("representations")
        if representations is None:
            return SubgraphResponse({"shops": deepcopy(SHOP_DATA)})
        currency: Any = request.variables["context_price_in"]
        self.asked.append((currency, [r["id"] for r in representations]))
        return SubgraphResponse({"_entities": [{"price": f"{r['id']} in {currency}"} for r in representations]})

    async def close(self) -> None:
        pass


async def test_context_argument_when_entities_stand_under_several_objects_then_each_takes_its_own() -> None:
    composed = compose([SubgraphSDL("shops", "http://shops", SHOPS), SubgraphSDL("items", "http://items", ITEMS)])
    assert isinstance(composed, Composed), composed
    plan = Planner(composed.supergraph).plan(parse("{ shops { best { price } items { id price } } }"))
    shops = Shops()
    executor = Executor(composed.supergraph.api_schema, {"shops": shops})

    outcome = await executor.run(plan, {}, RequestContext(Principal("somebody", "tenant"), "request-1"))

    assert outcome.errors == []
    assert outcome.data == {
        "shops": [
            {"best": {"price": "a in EUR"}, "items": [{"id": "a", "price": "a in EUR"}, {"id": "b", "price": "b in EUR"}]},
            {"best": {"price": "a in SEK"}, "items": []},
            {"best": None, "items": [{"id": "c", "price": "c in EUR"}]},
        ]
    }
    assert sorted((currency, sorted(ids)) for currency, ids in shops.asked) == [("EUR", ["a", "b", "c"]), ("SEK", ["a"])]
    assert composed.supergraph.api_schema.type_map["Item"].fields["price"].args == {}
