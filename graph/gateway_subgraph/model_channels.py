"""A model's live channel is whatever subscription hears `modelEvents` of it: what a ticket is for, and where people are seen to be.

Who came and went is told to those who are there a moment later, once for all who did so together.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from graphql import GraphQLError, parse_const_value, value_from_ast_untyped

from graph.contracts import Bus, GlobalId, Principal
from graph.errors import BadUserInput
from graph.gateway_subgraph.participants import AT_A_TIME, Participants, Presence, participants_changed
from graph.planner.normalize.operation import Field, Operation

FIELD = "modelEvents"
ARGUMENT = "modelId"
GATHERED_SECONDS = 0.25


class ModelChannels:
    """Says of a subscription which model it is about, and keeps who is there. To be closed before the bus is."""

    def __init__(self, participants: Participants, bus: Bus, home_city: str) -> None:
        self._participants, self._bus, self._home_city = participants, bus, home_city
        self._changed: set[tuple[str, str]] = set()
        self._telling: asyncio.Task[None] | None = None
        participants.on_change = self._tell

    def of(self, operation: Operation, variables: Mapping[str, Any]) -> str | None:
        """The model's full identifier."""
        if len(operation.selections) != 1:
            return None
        (one,) = operation.selections
        if not isinstance(one, Field) or one.name != FIELD:
            return None
        try:
            return str(GlobalId.parse(argument(one, ARGUMENT, variables), kind="model", home_city=self._home_city))
        except BadUserInput:
            return None

    def joined(self, principal: Principal, topic: str) -> None:
        presence = Presence(principal.subject, principal.name, time.time_ns() // 1_000_000)
        if self._participants.join(principal.tenant, topic, presence):
            self._tell(principal.tenant, topic)

    def left(self, principal: Principal, topic: str) -> None:
        if self._participants.leave(principal.tenant, topic, principal.subject):
            self._tell(principal.tenant, topic)

    async def close(self) -> None:
        """What was not told yet is told, and nothing that happens from now on."""
        self._participants.on_change = lambda tenant, topic: None
        if self._telling is not None:
            await asyncio.gather(self._telling, return_exceptions=True)

    def _tell(self, tenant: str, topic: str) -> None:
        self._changed.add((tenant, topic))
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._told())

    async def _told(self) -> None:
        while self._changed:
            await asyncio.sleep(GATHERED_SECONDS)
            changed, self._changed = self._changed, set()
            for tenant, models in groupby(sorted(changed), itemgetter(0)):
                await self._told_of(tenant, [model for _, model in models])

    async def _told_of(self, tenant: str, models: Sequence[str]) -> None:
        for first in range(0, len(models), AT_A_TIME):
            lot = models[first : first + AT_A_TIME]
            there = await self._participants.of_many(tenant, lot)
            await self._bus.publish([participants_changed(tenant, model, now) for model, now in zip(lot, there, strict=True)])


def argument(field: Field, name: str, variables: Mapping[str, Any]) -> str:
    """A string that a field is given, by itself or by a variable; empty where it is given none."""
    printed = dict(field.arguments).get(name, "null")
    try:
        value = variables.get(printed[1:]) if printed.startswith("$") else value_from_ast_untyped(parse_const_value(printed))
    except GraphQLError:
        value = None
    return value if isinstance(value, str) else ""
