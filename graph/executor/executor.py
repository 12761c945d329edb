"""The executor: a plan, variables and a caller in, the client's data and errors out."""

from collections.abc import AsyncGenerator, Hashable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from graphql import GraphQLSchema, is_object_type

from graph.contracts import OperationKind, RequestContext, SubgraphRequest, SubgraphResponse, Transport
from graph.errors import SubgraphError, Unavailable
from graph.executor.answers import Answers
from graph.executor.faults import Faults
from graph.executor.health import HealthRegistry
from graph.executor.incremental import Delivery, Parts, undeferred
from graph.executor.limits import ExecutorLimits
from graph.executor.outcome import ExecutionOutcome
from graph.executor.prepared import PreparedPlan, prepare
from graph.executor.projection.completion import Hidden
from graph.executor.run import Run
from graph.executor.shape import JSONObject
from graph.planner.plan import Plan


class Executor:
    """Runs plans of one supergraph.

    `full_schema` is the whole of it, where the API schema does not show all: objects and enum values that the client may not see are
    null without an error. A plan that is not needed any more is forgotten when others take its place.
    """

    def __init__(
        self,
        api_schema: GraphQLSchema,
        transports: Mapping[str, Transport],
        limits: ExecutorLimits | None = None,
        health: HealthRegistry | None = None,
        *,
        full_schema: GraphQLSchema | None = None,
    ) -> None:
        self.health = health or HealthRegistry()
        self._schema = api_schema
        self._transports = transports
        self._limits = limits or ExecutorLimits()
        self._hidden = Hidden.between(full_schema or api_schema, api_schema)
        self._object_types = self._hidden.types | {name for name, one in api_schema.type_map.items() if is_object_type(one)}
        self._prepared: dict[int, PreparedPlan] = {}

    async def run(self, plan: Plan, variables: Mapping[str, Any], context: RequestContext) -> ExecutionOutcome:
        """Never raises for what a subgraph does. `variables` are coerced already, as JSON values."""
        return await self._outcome(self.prepare(plan), undeferred(plan, variables), context, None)

    async def deliver(self, plan: Plan, variables: Mapping[str, Any], context: RequestContext) -> AsyncGenerator[Delivery, None]:
        """The same in parts: at first the `initial` outcome without what is deferred, then the deferred parts as they get ready.

        To close it ends what is still being fetched.
        """
        prepared = self.prepare(plan)
        parts = Parts(prepared, variables, self._limits.errors)
        if not parts.any:
            yield Delivery(await self._outcome(prepared, undeferred(plan, variables), context, None), has_next=False)
            return
        run = self._started(prepared, undeferred(plan, variables), context, None)
        async with aclosing(parts.deliver(run)) as deliveries:
            async for delivery in deliveries:
                yield delivery

    async def subscribe(self, plan: Plan, variables: Mapping[str, Any], context: RequestContext) -> AsyncGenerator[ExecutionOutcome, None]:
        """An outcome for each event. The plan's first fetch is the stream; the others run for each event, with loaders of its own.

        Raises a `CityGraphError` where the stream does not begin, or breaks off; it ends where its subgraph says so.
        """
        prepared = self.prepare(plan)
        variables = undeferred(plan, variables)
        stream = prepared.fetches[0].fetch
        transport = self._transports.get(stream.subgraph)
        if transport is None:
            raise SubgraphError(f"subgraph {stream.subgraph!r} is not connected")
        asked = {name: variables[name] for name in stream.variables if name in variables}
        request = SubgraphRequest(stream.document, asked, OperationKind.SUBSCRIPTION)
        health = self.health.of(stream.subgraph)  # no stream is refused for it: a transport tries in its own time what is away
        async with aclosing(transport.subscribe(request, context)) as events:
            try:
                async for event in events:
                    health.succeeded()
                    yield await self._outcome(prepared, variables, replace(context, loaders={}), event)
            except (Unavailable, SubgraphError) as error:
                if "code" not in error.extensions:
                    health.failed(error.detail)
                raise

    def caller(self, plan: Plan, context: RequestContext) -> Hashable:
        """Callers for whom this is equal, and who have equal rights, get equal answers, but for what fields say to each alone."""
        asked = sorted({fetch.subgraph for fetch in plan.fetches} & self._transports.keys())
        return tuple(self._transports[name].caller(context) for name in asked)

    async def _outcome(
        self, prepared: PreparedPlan, variables: Mapping[str, Any], context: RequestContext, event: SubgraphResponse | None
    ) -> ExecutionOutcome:
        """`event` is the answer of the first fetch, where it has come already."""
        run = self._started(prepared, variables, context, event)
        if prepared.fetches:
            await run.fetch_all()
        answers = run.answers
        data = prepared.projection.run(answers.tree, variables, answers.faults, prepared.service_of)
        return ExecutionOutcome(data, answers.faults.result(), event is not None and event.extensions.get("gap") is True)

    def _started(
        self, prepared: PreparedPlan, variables: Mapping[str, Any], context: RequestContext, event: SubgraphResponse | None
    ) -> Run:
        faults = Faults(self._limits.errors)
        tree: JSONObject = {}
        prepared.introspection.run(tree, variables, faults)
        answers = Answers(prepared.plan.operation, tree, faults, self._object_types, prepared.shared)
        return Run(prepared, variables, context, self._transports, self._limits, self.health, answers, event)

    def prepare(self, plan: Plan) -> PreparedPlan:
        """The code for a plan, generated when it is first seen. It is found by the plan's identity, and keeps the plan alive."""
        prepared = self._prepared.get(id(plan))
        if prepared is None:
            prepared = prepare(plan, self._schema, self._hidden)
            while len(self._prepared) >= self._limits.prepared_plans:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[id(plan)] = prepared
        return prepared

    async def close(self) -> None:
        """Closes the transports."""
        for transport in self._transports.values():
            await transport.close()
