"""The gateway over a world: composed, planned and executed here, with honest subgraphs that check each document that they get."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import DocumentNode, GraphQLSchema, parse, validate
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode

from graph.composition import Composed, compose
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor import Executor, ExecutorLimits
from graph.executor.incremental import Delivery
from graph.executor.transports.in_process import InProcessTransport
from graph.planner import Planner
from graph.planner.plan import Plan
from graph.supergraph import read_supergraph
from tests.federation_audit.subgraph import build_subgraph
from tests.oracle.world import World

CONTEXT = RequestContext(Principal("oracle", "oracle"), "oracle")
LIMITS = ExecutorLimits(errors=1_000_000, prepared_plans=1)


@dataclass(frozen=True, slots=True)
class Answered:
    """`invalid` says why requests are not valid in the subgraph that they were sent to; nothing, if the planner is right."""

    data: Any
    errors: list[dict[str, Any]]
    plan: Plan
    invalid: list[str] = field(default_factory=list)


class _CheckingTransport:
    def __init__(self, name: str, schema: GraphQLSchema, invalid: list[str], random: Random) -> None:
        self._name, self._schema, self._invalid, self._random = name, schema, invalid, random
        self._transport = InProcessTransport(schema, lambda context: context)
        self._checked: set[str] = set()

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        if request.document not in self._checked:
            self._checked.add(request.document)
            for error in validate(self._schema, parse(request.document)):
                self._invalid.append(f"{self._name}: {error.message}\n{request.document}")
        response = await self._transport.execute(request, context)
        for _ in range(self._random.randrange(8)):
            await asyncio.sleep(0)
        return response

    async def close(self) -> None:
        await self._transport.close()


class Gateway:
    """One for all operations of a world."""

    def __init__(self, world: World) -> None:
        composed = compose(world.sdls())
        assert isinstance(composed, Composed), "\n".join(map(str, composed.errors))
        self.supergraph = read_supergraph(composed.supergraph_sdl)
        self._world = world
        self._planner = Planner(self.supergraph)
        self._invalid: list[str] = []
        random = Random(7)
        transports = {
            one.name: _CheckingTransport(one.name, build_subgraph(one.name, one.sdl, world.behaviour), self._invalid, random)
            for one in world.sdls()
        }
        self._executor = Executor(self.supergraph.api_schema, transports, LIMITS, full_schema=self.supergraph.full_schema)

    def plan(self, document: DocumentNode) -> Plan:
        return self._planner.plan(document)

    async def ask(self, document: DocumentNode, variables: Mapping[str, Any]) -> Answered:
        plan, coerced = self._begin(document, variables)
        outcome = await self._executor.run(plan, coerced, CONTEXT)
        return Answered(outcome.data, outcome.errors, plan, list(self._invalid))

    async def ask_in_parts(self, document: DocumentNode, variables: Mapping[str, Any]) -> list[Delivery]:
        plan, coerced = self._begin(document, variables)
        return [delivery async for delivery in self._executor.deliver(plan, coerced, CONTEXT)]

    def _begin(self, document: DocumentNode, variables: Mapping[str, Any]) -> tuple[Plan, dict[str, Any]]:
        self._world.begin()
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        coerced = get_variable_values(self.supergraph.api_schema, operation.variable_definitions or (), dict(variables))
        assert not isinstance(coerced, list), coerced
        plan = self._planner.plan(document)
        self._invalid.clear()
        return plan, coerced.coerced
