"""One query through the whole engine: compose, read, plan, run, each request checked against the subgraph that it is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import GraphQLSchema, parse, validate
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode, OperationType

from graph.composition import Composed, compose
from graph.contracts import Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor import Executor
from graph.executor.transports.in_process import InProcessTransport
from graph.planner import Planner
from graph.planner.plan import Plan
from graph.supergraph import read_supergraph
from tests.federation_audit.audit import Case, read_suite

CONTEXT = RequestContext(Principal("auditor", "audit"), "audit")


@dataclass(slots=True)
class Answer:
    """What the client gets; and what it cost: the plan, and the requests that were really sent. A refused operation has no plan."""

    data: Any
    errors: list[str]
    plan: Plan | None = None
    requests: list[tuple[str, SubgraphRequest]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    """Why requests are not valid in the subgraph that they were sent to; nothing, if the planner is right."""

    @property
    def levels(self) -> int:
        """The longest chain of fetches that wait for each other."""
        depths: list[int] = []
        for fetch in self.plan.fetches if self.plan else ():
            depths.append(1 + max((depths[one] for one in fetch.depends_on), default=0))
        return max(depths, default=0)


class _CheckingTransport:
    """The in-process transport, with each document validated first: it relies on plans being right, a test does not."""

    def __init__(self, subgraph: str, schema: GraphQLSchema, answer: Answer) -> None:
        self._subgraph, self._schema, self._answer = subgraph, schema, answer
        self._transport = InProcessTransport(schema, lambda context: context)

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self._answer.requests.append((self._subgraph, request))
        for error in validate(self._schema, parse(request.document)):
            self._answer.invalid.append(f"{self._subgraph}: {error.message}\n{request.document}")
        return await self._transport.execute(request, context)

    async def close(self) -> None:
        await self._transport.close()


@lru_cache
def composed_here(suite: str) -> str:
    """The suite's supergraph by this project's composition."""
    result = compose(read_suite(suite).subgraphs)
    assert isinstance(result, Composed), "\n".join(map(str, result.errors))
    return result.supergraph_sdl


@lru_cache
def planner_of(supergraph_sdl: str) -> Planner:
    return Planner(read_supergraph(supergraph_sdl))


@lru_cache
def _schemas(suite: str) -> dict[str, GraphQLSchema]:
    return read_suite(suite).schemas()


async def ask(case: Case, supergraph_sdl: str) -> Answer:
    """The case's query over its suite's subgraphs: fresh ones for a mutation, shared ones for what changes nothing."""
    planner = planner_of(supergraph_sdl)
    supergraph = planner.supergraph
    document = parse(case.query)
    if refused := validate(supergraph.api_schema, document):
        return Answer(None, [error.message for error in refused])
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    variables = get_variable_values(supergraph.api_schema, operation.variable_definitions or (), {})
    assert not isinstance(variables, list), variables
    answer = Answer(None, [], planner.plan(document))
    schemas = _schemas(case.suite) if operation.operation is OperationType.QUERY else read_suite(case.suite).schemas()
    transports = {name: _CheckingTransport(name, schema, answer) for name, schema in schemas.items()}
    executor = Executor(supergraph.api_schema, transports, full_schema=supergraph.full_schema)
    assert answer.plan is not None
    outcome = await executor.run(answer.plan, variables.coerced, CONTEXT)
    await executor.close()
    answer.data = outcome.data
    answer.errors = [_told(error) for error in outcome.errors]
    return answer


def _told(error: Mapping[str, Any]) -> str:
    return f"{error['message']} at {'.'.join(map(str, error.get('path', ())))} ({error.get('extensions')})"
