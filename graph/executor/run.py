"""One operation on its way: which fetch may start, what it sends, what happens to its answer.

All of it happens on one task at a time: between two awaits nothing else touches the response tree, so merging needs no locks.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.contracts import RequestContext, SubgraphRequest, SubgraphResponse, Transport
from graph.errors import CityGraphError, InternalError, RequestTimeout, SubgraphError
from graph.executor.answers import Answers, SentCall
from graph.executor.contexts import ContextGroup, group_by_context
from graph.executor.health import HealthRegistry
from graph.executor.limits import ExecutorLimits
from graph.executor.prepared import PreparedFetch, PreparedPlan
from graph.executor.shape import JSONObject

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Run:
    """The state of one operation. `waiting` counts, for each fetch, the fetches that it still waits for."""

    prepared: PreparedPlan
    variables: Mapping[str, Any]
    context: RequestContext
    transports: Mapping[str, Transport]
    limits: ExecutorLimits
    health: HealthRegistry
    answers: Answers
    event: SubgraphResponse | None = None
    """The answer of the first fetch, where it has come already: of a subscription."""
    later: Mapping[int, Answers] = field(default_factory=dict)
    """Where the answers of some fetches go, by their index, if their errors are told apart from the others'."""
    progress: asyncio.Event | None = None
    """Set whenever a fetch has finished."""
    waiting: list[int] = field(init=False)
    started: set[int] = field(default_factory=set)
    finished: set[int] = field(default_factory=set)
    _deadline: asyncio.Timeout | None = None

    def __post_init__(self) -> None:
        self.waiting = [len(one.fetch.depends_on) for one in self.prepared.fetches]

    async def fetch_all(self) -> None:
        """Runs every fetch as soon as it can; what has not come when the time is over has the error."""
        try:
            async with asyncio.timeout(self.limits.operation_timeout) as self._deadline:
                await self._start_roots()
        except TimeoutError:
            self._give_up()

    async def _start_roots(self) -> None:
        roots = [one.index for one in self.prepared.fetches if not one.fetch.depends_on]
        if len(self.prepared.fetches) == 1:
            await self._fetch(0)
        elif roots:
            async with asyncio.TaskGroup() as tasks:
                for root in roots[1:]:
                    tasks.create_task(self._follow(root, tasks))
                await self._follow(roots[0], tasks)

    async def _follow(self, index: int, tasks: asyncio.TaskGroup) -> None:
        """Runs a fetch, then one of those that it set free; the others get tasks of their own."""
        following: int | None = index
        while following is not None:
            await self._fetch(following)
            ready = self._set_free(self.prepared.fetches[following])
            for other in ready[1:]:
                tasks.create_task(self._follow(other, tasks))
            following = ready[0] if ready else None

    def _set_free(self, fetch: PreparedFetch) -> list[int]:
        ready: list[int] = []
        for dependent in fetch.dependents:
            self.waiting[dependent] -= 1
            if self.waiting[dependent] == 0:
                ready.append(dependent)
        return ready

    async def _fetch(self, index: int) -> None:
        self.started.add(index)
        prepared = self.prepared.fetches[index]
        if self._is_needed(prepared):
            if prepared.calls:
                await self._fetch_entities(prepared)
            else:
                await self._fetch_root(prepared)
        self.finished.add(index)
        if self.progress is not None:
            self.progress.set()

    def _answers(self, prepared: PreparedFetch) -> Answers:
        return self.later.get(prepared.index, self.answers)

    def _is_needed(self, prepared: PreparedFetch) -> bool:
        alternatives = prepared.fetch.conditions
        variables = self.variables
        return not alternatives or any(
            all(variables.get(condition.variable) is condition.expected for condition in conditions) for conditions in alternatives
        )

    async def _fetch_root(self, prepared: PreparedFetch) -> None:
        if self.event is not None and prepared.index == 0:
            self._note(prepared, self._answers(prepared).root(prepared, self.event))
            return
        try:
            response = await self._send(prepared, self._client_variables(prepared))
        except CityGraphError as error:
            self._answers(prepared).root_failed(prepared, error)
        else:
            self._note(prepared, self._answers(prepared).root(prepared, response))

    async def _fetch_entities(self, prepared: PreparedFetch) -> None:
        if prepared.fetch.contexts:
            groups = [(group.values, self._built(prepared, group.objects)) for group in self._context_groups(prepared)]
            requests = [(values, sent) for values, calls in groups for sent in self._requests(prepared, calls)]
        else:
            requests = [({}, sent) for sent in self._requests(prepared, self._collect(prepared))]
        if len(requests) == 1:
            await self._fetch_part(prepared, *requests[0])
        elif requests:
            await asyncio.gather(*(self._fetch_part(prepared, values, sent) for values, sent in requests))

    def _context_groups(self, prepared: PreparedFetch) -> list[ContextGroup]:
        return group_by_context(self.answers.tree, prepared.fetch.calls, prepared.fetch.contexts)

    def _built(self, prepared: PreparedFetch, objects: list[list[JSONObject]]) -> list[SentCall]:
        """The calls for objects that are found already."""
        calls: list[SentCall] = []
        for call, found in zip(prepared.calls, objects, strict=True):
            entities = call.build([found])
            self.answers.mark_owners([entities.failed], call.shape)
            calls.append(SentCall(call, entities.representations, entities.owners))
        return calls

    def _collect(self, prepared: PreparedFetch) -> list[SentCall]:
        levels = prepared.walk.levels(self.answers.tree)
        calls: list[SentCall] = []
        for call in prepared.calls:
            entities = call.build([levels[level] for level in call.levels])
            self.answers.mark_owners([entities.failed], call.shape)
            calls.append(SentCall(call, entities.representations, entities.owners))
        return calls

    def _requests(self, prepared: PreparedFetch, calls: list[SentCall]) -> Iterator[list[SentCall]]:
        """One request for all calls of a fetch, unless there are too many representations."""
        size = self.limits.representations_per_request
        longest = max(len(one.representations) for one in calls)
        for start in range(0, longest, size):
            end = start + size
            if longest <= size:
                yield calls
            else:
                yield [SentCall(one.prepared, one.representations[start:end], one.owners[start:end]) for one in calls]

    async def _fetch_part(self, prepared: PreparedFetch, values: JSONObject, sent: list[SentCall]) -> None:
        variables = {**self._client_variables(prepared), **values}
        for one in sent:
            variables[one.prepared.call.variable] = one.representations
        try:
            response = await self._send(prepared, variables)
        except CityGraphError as error:
            self._answers(prepared).entities_failed(prepared, sent, error)
        else:
            self._note(prepared, self._answers(prepared).entities(prepared, sent, response))

    def _client_variables(self, prepared: PreparedFetch) -> JSONObject:
        variables = self.variables
        return {name: variables[name] for name in prepared.fetch.variables if name in variables}

    async def _send(self, prepared: PreparedFetch, variables: JSONObject) -> SubgraphResponse:
        """Raises a `CityGraphError` where no answer came."""
        fetch = prepared.fetch
        transport = self.transports.get(fetch.subgraph)
        if transport is None:
            raise SubgraphError(f"subgraph {fetch.subgraph!r} is not connected")
        health = self.health.of(fetch.subgraph)
        health.admit(fetch.subgraph)
        try:
            return await transport.execute(SubgraphRequest(fetch.document, variables, fetch.kind), self.context)
        except CityGraphError as error:
            health.failed(error.detail)
            raise
        except asyncio.CancelledError:
            if self._deadline is not None and self._deadline.expired():
                health.failed("it did not answer in time")
            else:
                health.given_up()
            raise
        except Exception as error:
            health.failed(type(error).__name__)
            logger.exception("the transport of subgraph %r failed, request %s", fetch.subgraph, self.context.request_id)
            raise InternalError(f"the request to subgraph {fetch.subgraph!r} failed") from error

    def _note(self, prepared: PreparedFetch, wrong: str | None) -> None:
        health = self.health.of(prepared.fetch.subgraph)
        if wrong is None:
            health.succeeded()
        else:
            health.failed(wrong)

    def _give_up(self) -> None:
        error = RequestTimeout(f"the operation took longer than {self.limits.operation_timeout:g} s")
        for prepared in self.prepared.fetches:
            if prepared.index in self.finished or not self._is_needed(prepared):
                continue
            if not prepared.calls:
                self._answers(prepared).root_failed(prepared, error)
            elif prepared.index in self.started:
                self._answers(prepared).entities_failed(prepared, self._collect(prepared), error)
            else:
                for one in self._collect(prepared):
                    self.answers.mark_owners(one.owners, one.prepared.shape)
