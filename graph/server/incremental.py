"""An answer that comes in parts: what is still to come of it, and the forms in which clients read it.

There are two forms. The one of 2022 (https://specs.apollo.dev/incremental/v0.1/, `deferSpec=20220824`) tells each part by its path; the
later one (https://specs.apollo.dev/incremental/v0.2/, graphql-js 17) announces parts by an identifier and says when each is complete.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graph.executor.incremental import Delivery, Part, Pending
from graph.executor.outcome import ExecutionOutcome
from graph.server.audit import AuditedField
from graph.server.policy import holds
from graph.server.problems import Trace, complete

Finish = Callable[[ExecutionOutcome | None], Awaitable[None]]
"""Hears what the root fields of the parts came to; None where nobody knows."""


class Rest:
    """What is to come after the first part. Whoever is given it closes it, read to its end or not."""

    def __init__(
        self, deliveries: AsyncGenerator[Delivery, None], first: Delivery, outcome: ExecutionOutcome, trace: Trace, finish: Finish
    ) -> None:
        """`outcome` is that of the `first` delivery, which has been taken already."""
        self.pending = first.pending
        self._deliveries, self._trace = deliveries, trace
        self._finish: Finish | None = finish
        self._data, self._errors = dict(outcome.data or {}), list(outcome.errors)
        self._ended = not first.has_next

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        async for delivery in self._deliveries:
            for part in delivery.parts:
                self._errors += part.errors
                if not part.pending.path:
                    self._data.update(part.data or {})
                part.errors[:] = [complete(error, self._trace) for error in part.errors]
            self._ended = not delivery.has_next
            yield delivery

    async def close(self) -> None:
        """Ends what is still being fetched."""
        await self._deliveries.aclose()
        finish, self._finish = self._finish, None
        if finish is not None:
            await finish(ExecutionOutcome(self._data, self._errors) if self._ended else None)


def told_first(fields: Sequence[AuditedField], variables: Mapping[str, Any]) -> tuple[list[AuditedField], list[AuditedField]]:
    """The audited fields that the first part answers, and those that only a later one does."""
    first = [one for one in fields if not any(condition.is_deferral for condition in one.conditions)]
    known = {one.response_key for one in first if holds(one.conditions, variables)}
    return first, [one for one in fields if one not in first and one.response_key not in known]


@dataclass(frozen=True, slots=True)
class Form:
    """`parameter` names it in media types. `first` makes the first payload of an answer's body, `following` each of the others."""

    parameter: str
    first: Callable[[Mapping[str, Any], Sequence[Pending]], dict[str, Any]]
    following: Callable[[Delivery], dict[str, Any]]


def _first_by_path(body: Mapping[str, Any], pending: Sequence[Pending]) -> dict[str, Any]:
    return {**body, "hasNext": bool(pending)}


def _following_by_path(delivery: Delivery) -> dict[str, Any]:
    return {"incremental": [_part_by_path(one) for one in delivery.parts], "hasNext": delivery.has_next}


def _part_by_path(part: Part) -> dict[str, Any]:
    told = {"data": part.data, **_place(part.pending)}
    return {**told, "errors": part.errors} if part.errors else told


def _first_by_id(body: Mapping[str, Any], pending: Sequence[Pending]) -> dict[str, Any]:
    return {**body, **_announced(pending), "hasNext": bool(pending)}


def _following_by_id(delivery: Delivery) -> dict[str, Any]:
    incremental, completed = [], []
    for part in delivery.parts:
        done: dict[str, Any] = {"id": str(part.pending.number)}
        errors = {"errors": part.errors} if part.errors else {}
        if part.data is None:
            completed.append({**done, **errors})
        else:
            incremental.append({**done, "data": part.data, **errors})
            completed.append(done)
    told = {"incremental": incremental} if incremental else {}
    return {**_announced(delivery.pending), **told, "completed": completed, "hasNext": delivery.has_next}


def _announced(pending: Sequence[Pending]) -> dict[str, Any]:
    return {"pending": [{"id": str(one.number), **_place(one)} for one in pending]} if pending else {}


def _place(pending: Pending) -> dict[str, Any]:
    place: dict[str, Any] = {"path": list(pending.path)}
    return place if pending.label is None else {**place, "label": pending.label}


BY_PATH = Form("deferSpec=20220824", _first_by_path, _following_by_path)
BY_ID = Form("incrementalSpec=v0.2", _first_by_id, _following_by_id)
