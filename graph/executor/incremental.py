"""An operation answered in parts: what is not deferred first, then each deferred fragment at each of its places once its fetches are in.

All fetches run from the beginning; parts differ in what they wait for. The merged tree is projected piece by piece: at first without what
is deferred, then the fields of each fragment by themselves. A `@defer` that waits for nothing more than what is around it is told with
that. Errors are told with the part that has their place.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.executor.deferral import Deferrals, needs
from graph.executor.faults import Faults
from graph.executor.outcome import ExecutionOutcome
from graph.executor.placing import Errors, Path, is_object
from graph.executor.prepared import PreparedPlan
from graph.executor.projection.completion import Completion, LinkedPath, unlinked
from graph.executor.projection.deferred import DeferredFields, Found
from graph.executor.run import Run
from graph.executor.shape import JSONObject
from graph.planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Pending:
    """A deferred fragment at one place. `number` counts those of an answer from 0."""

    number: int
    label: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class Part:
    """The fields of a deferred fragment; `data` is None where one of them may not be null and is."""

    pending: Pending
    data: JSONObject | None
    errors: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What can be told at once; `initial` is in the first, and there only.

    `pending` are the fragments whose places are told here: each has its part in this delivery or a later one. `parts` are in order:
    one may have its place in an earlier one.
    """

    initial: ExecutionOutcome | None = None
    parts: Sequence[Part] = ()
    pending: Sequence[Pending] = ()
    has_next: bool = True


@dataclass(frozen=True, slots=True)
class _Waiting:
    """`told` are the deferrals that were told where the object was found."""

    pending: Pending
    fields: DeferredFields
    target: JSONObject
    place: LinkedPath
    told: Deferrals


def undeferred(plan: Plan, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables for an answer in one piece: what is deferred is there with the rest."""
    return _holding(variables, frozenset(one.condition for one in plan.operation.deferrals))


def _holding(variables: Mapping[str, Any], deferrals: Deferrals) -> Mapping[str, Any]:
    return {**variables, **{one.variable: one.expected for one in deferrals}} if deferrals else variables


class Parts:
    """The parts of one operation, and when each can be told."""

    def __init__(self, prepared: PreparedPlan, variables: Mapping[str, Any], limit: int) -> None:
        """`limit` is for the errors of a part."""
        self._prepared, self._variables, self._limit = prepared, variables, limit
        self._labels = {one.condition: one.label for one in prepared.plan.operation.deferrals}
        self._needs = needs(prepared.plan, variables)
        self._at_once = frozenset(self._labels) - self._needs.waited_for
        self._waiting: dict[Deferrals, list[_Waiting]] = {}
        self._pending: list[Pending] = []
        self._numbers: dict[tuple[str, Path], int] = {}
        self._errors = Errors()
        self._faults: dict[int, Faults] = {}

    @property
    def any(self) -> bool:
        """Whether anything has to be waited for."""
        return bool(self._needs.waited_for)

    async def deliver(self, run: Run) -> AsyncGenerator[Delivery, None]:
        """Runs what has not been started. Closing it ends what is still being fetched."""
        first = self._needs.of(self._at_once)
        self._faults = {index: Faults(self._limit) for index, sets in enumerate(self._needs.fetches) if sets and index not in first}
        run.later = {index: replace(run.answers, faults=faults) for index, faults in self._faults.items()}
        run.progress = progress = asyncio.Event()
        fetching = asyncio.create_task(run.fetch_all())
        fetching.add_done_callback(lambda _: progress.set())
        try:
            while not (first <= run.finished or fetching.done()):
                await _next(progress)
            _raise_fault(fetching)
            yield self._initial(run)
            while self._waiting:
                ready = self._ready(run, everything=fetching.done())
                if not ready:
                    await _next(progress)
                    _raise_fault(fetching)
                    continue
                yield self._delivery(run, ready, everything=fetching.done())
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    def _initial(self, run: Run) -> Delivery:
        found: list[Found] = []
        faults = run.answers.faults
        data = self._prepared.projection.run_partly(run.answers.tree, self._completion(self._at_once, faults, found))
        self._take(found, data, 0, self._at_once)
        self._errors.add(faults.result())
        return Delivery(ExecutionOutcome(data, self._errors.take(data, (), ())), (), self._announced(), bool(self._waiting))

    def _ready(self, run: Run, *, everything: bool) -> list[Deferrals]:
        return [one for one in self._waiting if everything or self._needs.of(one) <= run.finished]

    def _delivery(self, run: Run, ready: list[Deferrals], *, everything: bool) -> Delivery:
        """All that is ready, and what is ready inside that."""
        parts: list[Part] = []
        while ready:
            for deferrals in ready:
                self._take_errors(self._needs.of(deferrals))
                parts += [self._part(one, deferrals) for one in self._waiting.pop(deferrals)]
            ready = self._ready(run, everything=everything)
        return Delivery(None, parts, self._announced(), bool(self._waiting))

    def _part(self, one: _Waiting, deferrals: Deferrals) -> Part:
        faults = Faults(self._limit)
        found: list[Found] = []
        data = one.fields.project(one.target, one.place, self._completion(deferrals, faults, found))
        path = one.pending.path
        self._errors.withdraw(data, path)
        self._take(found, data, len(path), deferrals)
        if data is not None:
            self._wait(one.fields.inner, one.target, one.place, one.told)
        return Part(one.pending, data, self._errors.take(data, path, faults.result()))

    def _completion(self, deferrals: Deferrals, faults: Faults, found: list[Found]) -> Completion:
        prepared = self._prepared
        return prepared.projection.completion(_holding(self._variables, deferrals), faults, prepared.service_of, found)

    def _take(self, found: Iterable[Found], data: Any, depth: int, told: Deferrals) -> None:
        """What was found while `data` was projected, whose own path has `depth` keys."""
        for target, place, deferred in found:
            if is_object(data, unlinked(place)[depth:]):
                self._wait(deferred, target, place, told)

    def _wait(self, deferred: Iterable[DeferredFields], target: JSONObject, place: LinkedPath, told: Deferrals) -> None:
        for fields in deferred:
            deferrals = told | fields.within
            if fields.within <= told or not self._something_of(fields, deferrals):
                self._wait(fields.inner, target, place, told)
                continue
            path = tuple(unlinked(place))
            if (fields.deferral.variable, path) in self._numbers:
                continue  # the same fragment, found again in another part
            number = self._numbers[fields.deferral.variable, path] = len(self._numbers)
            pending = Pending(number, self._labels[fields.deferral], path)
            self._pending.append(pending)
            self._waiting.setdefault(deferrals, []).append(_Waiting(pending, fields, target, place, told))

    def _something_of(self, fields: DeferredFields, deferrals: Deferrals) -> bool:
        variables = _holding(self._variables, deferrals)
        return any(all(variables.get(one.variable) is one.expected for one in when) for when in fields.alternatives)

    def _announced(self) -> list[Pending]:
        announced, self._pending = self._pending, []
        return announced

    def _take_errors(self, fetches: Iterable[int]) -> None:
        for index in fetches:
            if (faults := self._faults.pop(index, None)) is not None:
                self._errors.add(faults.result())


async def _next(progress: asyncio.Event) -> None:
    await progress.wait()
    progress.clear()


def _raise_fault(fetching: "asyncio.Task[None]") -> None:
    if fetching.done():
        fetching.result()
