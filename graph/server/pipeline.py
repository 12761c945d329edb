"""One operation's way, whatever protocol brought it: rights → preparation → execution → answer, with an operator's hooks in between."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from graph.contracts import AuditSink, OperationKind, RequestContext
from graph.errors import BadRequest, CityGraphError, Forbidden, MethodNotAllowed
from graph.executor import ExecutionOutcome, Executor
from graph.planner.explain import plan_to_json
from graph.planner.labels import OverrideLabels
from graph.server.audit import AuditedField, Auditor
from graph.server.hooks import NO_HOOKS, Hooks
from graph.server.incremental import Rest, told_first
from graph.server.messages import Answer, GraphQLRequest
from graph.server.policy import Policy, RefusedField
from graph.server.preparation import Prepared, Preparer, RefusedError
from graph.server.problems import Trace, complete, graphql_error, syntax_errors
from graph.server.streams import Streams
from graph.subscriptions.sharing import Attachment, Sink

QUERY_PLAN_HEADER = "citygraph-query-plan"

Inspect = Callable[[Prepared, Mapping[str, Any]], None]
"""Sees an operation and its variables before it runs; raises a `CityGraphError` where it must not."""


class Pipeline:
    """Answers operations over one supergraph. `plan_roles` are the roles whose bearers see a query plan when they ask for it."""

    def __init__(
        self,
        preparer: Preparer,
        executor: Executor,
        labels: OverrideLabels,
        policy: Policy,
        *,
        hooks: Hooks = NO_HOOKS,
        audit: AuditSink | None = None,
        plan_roles: frozenset[str] = frozenset(),
    ) -> None:
        self._preparer, self._executor, self._labels, self._policy = preparer, executor, labels, policy
        self._hooks = hooks
        self._auditor = None if audit is None else Auditor(audit)
        self._plan_roles = plan_roles
        self._streams = Streams(executor, shared=not hooks.on_response)

    async def answer(self, request: GraphQLRequest, context: RequestContext, trace: Trace, *, read_only: bool = False) -> Answer:
        """Never raises for what a client sent: request errors and field errors are both answers.

        `read_only` refuses what is not a query (`MethodNotAllowed`, raised: it is the server's protocol that forbids it).
        """
        opened = await self._opened(request, context, trace, read_only=read_only)
        assert isinstance(opened, Answer)
        return opened

    async def answer_in_parts(self, request: GraphQLRequest, context: RequestContext, trace: Trace, *, read_only: bool = False) -> Answer:
        """The same; what is deferred may be left to the answer's `rest`, which the caller closes.

        Hooks that look at answers are shown whole ones, so where there are any nothing is left.
        """
        opened = await self._opened(request, context, trace, read_only=read_only, in_parts=not self._hooks.on_response)
        assert isinstance(opened, Answer)
        return opened

    async def open(
        self, request: GraphQLRequest, context: RequestContext, trace: Trace, sink: Sink, inspect: Inspect | None = None
    ) -> Answer | Attachment:
        """Answers a query or a mutation, and a subscription that is refused; else has the `sink` hear the subscription.

        `inspect` is shown what would run, and may refuse it.
        """
        return await self._opened(request, context, trace, sink=sink, inspect=inspect)

    async def same_rights(self, request: GraphQLRequest, before: RequestContext, after: RequestContext) -> bool:
        """Whether an operation that was opened in one context would be the same in another of the same caller."""
        try:
            had, has = self._policy.granted(before), self._policy.granted(after)
            if has >= had:
                return True
            if self._hooks.on_operation:
                request = await self._hooks.operation(request, after)
            first = await self._preparer.prepared(request, self._labels.active(before), had)
            return first is await self._preparer.prepared(request, self._labels.active(after), has)
        except (CityGraphError, RefusedError):
            return False

    async def close(self) -> None:
        """Ends what still streams."""
        await self._streams.close()

    async def _opened(
        self,
        request: GraphQLRequest,
        context: RequestContext,
        trace: Trace,
        *,
        sink: Sink | None = None,
        inspect: Inspect | None = None,
        read_only: bool = False,
        in_parts: bool = False,
    ) -> Answer | Attachment:
        answer: Answer | Attachment
        try:
            if self._hooks.on_operation:
                request = await self._hooks.operation(request, context)
            answer = await self._run(request, context, trace, sink, inspect, read_only=read_only, in_parts=in_parts)
        except MethodNotAllowed:
            raise
        except RefusedError as refused:
            answer = Answer({"errors": syntax_errors(refused.kind, refused.errors, trace)}, refused.kind.status)
        except CityGraphError as error:
            answer = _refusal(error, trace)
        if not self._hooks.on_response or isinstance(answer, Attachment):
            return answer
        try:
            return await self._hooks.response(answer, request, context)
        except CityGraphError as error:
            return _refusal(error, trace)

    async def _run(
        self,
        request: GraphQLRequest,
        context: RequestContext,
        trace: Trace,
        sink: Sink | None,
        inspect: Inspect | None,
        *,
        read_only: bool,
        in_parts: bool,
    ) -> Answer | Attachment:
        granted = self._policy.granted(context)
        prepared = await self._preparer.prepared(request, self._labels.active(context), granted)
        check_kind(prepared.kind, read_only=read_only, streams=sink is not None)
        variables = await self._preparer.coerced(prepared, request.variables)
        if prepared.refused and (refused := [one for one in prepared.refused if one.asked(variables)]):
            if self._auditor is not None:
                keys = frozenset(one.response_key for one in refused)
                await self._auditor.refused(prepared.audited, keys, variables, context, trace)
            return _forbidden(refused, trace)
        if inspect is not None:
            inspect(prepared, variables)
        if self._hooks.on_plan:
            await self._hooks.plan(prepared.plan, request, context)
        if sink is not None and prepared.kind is OperationKind.SUBSCRIPTION:
            return await self._attached(prepared, variables, context, trace, sink)
        rest: Rest | None = None
        if in_parts and prepared.plan.operation.deferrals:
            outcome, rest = await self._begun(prepared, variables, context, trace)
        else:
            outcome = await self._executed(prepared, variables, context, trace)
        body: dict[str, Any] = {"data": outcome.data}
        if outcome.errors:
            body = {"errors": [complete(error, trace) for error in outcome.errors], **body}
        if self._plan_roles and self._shows_plan(request, context):
            body["extensions"] = _plan_extension(prepared)
        return Answer(body, rest=rest)

    async def _attached(
        self, prepared: Prepared, variables: Mapping[str, Any], context: RequestContext, trace: Trace, sink: Sink
    ) -> Attachment:
        if self._auditor is not None and prepared.audited:
            await self._auditor.ran(prepared.audited, variables, ExecutionOutcome({}, []), context, trace)
        return self._streams.attach(prepared, variables, context, trace, sink)

    async def _executed(self, prepared: Prepared, variables: Mapping[str, Any], context: RequestContext, trace: Trace) -> ExecutionOutcome:
        if self._auditor is None or not prepared.audited:
            return await self._executor.run(prepared.plan, variables, context)
        outcome: ExecutionOutcome | None = None
        try:
            outcome = await self._executor.run(prepared.plan, variables, context)
        finally:  # a request that is broken off may have had its effect
            await self._auditor.ran(prepared.audited, variables, outcome, context, trace)
        return outcome

    async def _begun(
        self, prepared: Prepared, variables: Mapping[str, Any], context: RequestContext, trace: Trace
    ) -> tuple[ExecutionOutcome, Rest | None]:
        """The first part, and the rest where there is more to come. Root fields are audited with the part that answers them."""
        now, later = told_first(prepared.audited, variables)

        async def ran(fields: Sequence[AuditedField], outcome: ExecutionOutcome | None) -> None:
            if self._auditor is not None and fields:
                await self._auditor.ran(fields, variables, outcome, context, trace)

        deliveries = self._executor.deliver(prepared.plan, variables, context)
        outcome: ExecutionOutcome | None = None
        try:
            first = await anext(deliveries)
            outcome = first.initial
        finally:
            await ran(now, outcome)
        assert outcome is not None
        rest = Rest(deliveries, first, outcome, trace, partial(ran, later))
        if first.has_next:
            return outcome, rest
        await rest.close()
        return outcome, None

    def _shows_plan(self, request: GraphQLRequest, context: RequestContext) -> bool:
        asked = QUERY_PLAN_HEADER in context.headers or request.extensions.get("queryPlan") is True
        return asked and not self._plan_roles.isdisjoint(context.principal.roles)


def _forbidden(refused: list[RefusedField], trace: Trace) -> Answer:
    """Nothing ran; each root field that the caller may not use is told once."""
    told = {one.response_key: one.refusal for one in refused}
    errors = [
        complete({"message": one.message, "path": [key], "extensions": {**one.extensions, "code": Forbidden.code}}, trace)
        for key, one in told.items()
    ]
    return Answer({"errors": errors, "data": None}, Forbidden.status, forbidden=True)


def _refusal(error: CityGraphError, trace: Trace) -> Answer:
    return Answer({"errors": [graphql_error(error, trace)]}, error.status)


def _plan_extension(prepared: Prepared) -> dict[str, Any]:
    return {"queryPlan": {"kind": "QueryPlan", "node": plan_to_json(prepared.plan)}}


def check_kind(kind: OperationKind, *, read_only: bool, streams: bool) -> None:
    """Raises `MethodNotAllowed` for what a safe method may not do, `BadRequest` for what one response cannot hold."""
    if kind is OperationKind.SUBSCRIPTION and not streams:
        raise BadRequest("a subscription cannot be answered by one response: a live channel is needed")
    if read_only and kind is OperationKind.MUTATION:
        raise MethodNotAllowed(f"a {kind.value} cannot be sent by GET: use POST")
