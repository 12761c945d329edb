"""`@defer` where the answer comes in one piece: what is deferred is there, in its place."""

from typing import Any

from graphql import parse, validate

from graph.composition import Composed, SubgraphSDL, compose
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor import Executor
from graph.planner import Planner


class Answers:
    """A subgraph that answers a document with what is written down for it."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        return SubgraphResponse(self.answers[request.document])

    async def close(self) -> None:
        pass


async def test_deferred_fragment_when_answered_in_one_piece_then_has_its_fields() -> None:
    composed = compose([SubgraphSDL("a", "http://a", "type Query { slow: Int fast: Int }")])
    assert isinstance(composed, Composed), composed
    document = parse('query ($later: Boolean!) { ... @defer(if: $later, label: "l") { slow } fast ... @defer(if: false) { again: fast } }')
    assert validate(composed.supergraph.api_schema, document) == []
    plan = Planner(composed.supergraph).plan(document)
    answers = Answers({"{ slow }": {"slow": 1}, "{ fast again: fast }": {"fast": 2, "again": 2}})

    outcome = await Executor(composed.supergraph.api_schema, {"a": answers}).run(
        plan, {"later": True}, RequestContext(Principal("somebody", "tenant"), "request-1")
    )

    assert outcome.errors == []
    assert list(outcome.data.items()) == [("slow", 1), ("fast", 2), ("again", 2)]
