"""Who has a model's live channel open. Live channels join and leave, and tell of it; the subgraph reads.

Here it is what this process knows; `shared_participants` adds what others do.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from graph.contracts import Event

PARTICIPANTS_CHANGED = "ParticipantsChanged"
"""The kind of the event by which a model's channel hears who is there now. It is not kept: the next one says it all anew."""
AT_A_TIME = 1_000
"""Models of which one question may be."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One person on one model; `joined_at` in epoch milliseconds."""

    user: str
    name: str | None
    joined_at: int


class Participants:
    """A person with several channels open is there once, since the first of them, until the last is closed."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], dict[str, tuple[Presence, int]]] = {}
        self.on_change: Callable[[str, str], None] = lambda tenant, model: None
        """Hears of models on which others are now without anybody having joined or left in this process."""

    def join(self, tenant: str, model: str, presence: Presence) -> bool:
        """True where the person was not there before, in this process."""
        there = self._open.setdefault((tenant, model), {})
        known, channels = there.get(presence.user, (presence, 0))
        there[presence.user] = (known, channels + 1)
        return channels == 0

    def leave(self, tenant: str, model: str, user: str) -> bool:
        """True where it was the person's last channel, in this process."""
        there = self._open.get((tenant, model), {})
        known, channels = there.get(user, (None, 0))
        if known is None:
            return False
        if channels > 1:
            there[user] = (known, channels - 1)
            return False
        del there[user]
        if not there:
            del self._open[tenant, model]
        return True

    async def of(self, tenant: str, model: str) -> list[Presence]:
        """By when they came."""
        [there] = await self.of_many(tenant, [model])
        return there

    async def of_many(self, tenant: str, models: Sequence[str]) -> list[list[Presence]]:
        """The same of up to `AT_A_TIME` models, in their order."""
        return [in_order(self._here(tenant, model)) for model in models]

    def _here(self, tenant: str, model: str) -> list[Presence]:
        return [presence for presence, _ in self._open.get((tenant, model), {}).values()]

    def _presence(self, tenant: str, model: str, user: str) -> Presence | None:
        found = self._open.get((tenant, model), {}).get(user)
        return None if found is None else found[0]


def in_order(there: Iterable[Presence]) -> list[Presence]:
    return sorted(there, key=lambda one: (one.joined_at, one.user))


def participants_changed(tenant: str, model: str, participants: Sequence[Presence]) -> Event:
    """To be told to all who follow the model, by its identifier: who is there now."""
    payload = {"participants": [{"userId": one.user, "name": one.name, "joinedAt": one.joined_at} for one in participants]}
    channel = f"model/{model.rpartition('/')[2]}"
    return Event(tenant, channel, PARTICIPANTS_CHANGED, time.time_ns() // 1_000_000, payload)
