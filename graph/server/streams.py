"""Subscriptions of one schema: which of them are the same, and what their events look like to a client.

Two are the same where plan (and with it document and rights), variables, tenant, and what of the caller reaches the subgraphs are equal.
A field that tells callers apart (`@perCaller`) keeps its subscription to its caller.
"""

from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from graph import json_codec
from graph.contracts import RequestContext
from graph.executor import Executor
from graph.planner.normalize.operation import Field, Operation
from graph.server.preparation import RESUMING, Prepared
from graph.server.problems import Trace, complete
from graph.subscriptions.sharing import Attachment, Payload, SharedExecutions, Sink


class Streams:
    """The running subscriptions of one schema; `shared` is false where somebody looks at each answer by itself."""

    def __init__(self, executor: Executor, *, shared: bool) -> None:
        self._executor, self._shared = executor, shared
        self._executions = SharedExecutions()

    @property
    def running(self) -> int:
        return self._executions.running

    def attach(self, prepared: Prepared, variables: Mapping[str, Any], context: RequestContext, trace: Trace, sink: Sink) -> Attachment:
        """Raises `RateLimited`."""

        async def start() -> AsyncGenerator[Payload, None]:
            async with aclosing(self._executor.subscribe(prepared.plan, variables, context)) as outcomes:
                async for outcome in outcomes:
                    yield encoded(outcome.data, outcome.errors, trace, gap=outcome.gap)

        key = self._key(prepared, variables, context)
        return self._executions.attach(key, start, sink, from_the_beginning=resumes(prepared.plan.operation, variables))

    async def close(self) -> None:
        await self._executions.close()

    def _key(self, prepared: Prepared, variables: Mapping[str, Any], context: RequestContext) -> Hashable:
        if not self._shared:
            return object()
        # The running execution keeps the plan alive, so that no other one can have its identity.
        told = json_codec.dumps(dict(sorted(variables.items())))
        subject = context.principal.subject if prepared.per_caller else None
        return id(prepared.plan), told, context.principal.tenant, self._executor.caller(prepared.plan, context), subject


def encoded(data: Any, errors: Sequence[dict[str, Any]], trace: Trace, *, gap: bool = False) -> Payload:
    body: dict[str, Any] = {"data": data}
    if errors:
        body = {"errors": [complete(error, trace) for error in errors], **body}
    if gap:
        body["extensions"] = {"gap": True}
    return Payload(json_codec.dumps(body).decode())


def resumes(operation: Operation, variables: Mapping[str, Any]) -> bool:
    """Whether a root field is given a place to begin from."""
    for one in operation.selections:
        for name, printed in one.arguments if isinstance(one, Field) else ():
            if name in RESUMING and printed != "null" and variables.get(printed.removeprefix("$"), printed) is not None:
                return True
    return False
