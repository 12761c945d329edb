"""Who has a model's live channel open, in this process. Live channels join and leave; the subgraph reads."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Presence:
    """One person on one model; `joined_at` in epoch milliseconds."""

    user: str
    name: str | None
    joined_at: int


@dataclass(slots=True)
class Participants:
    """A person with several channels open is there once, since the first of them, until the last is closed."""

    _open: dict[tuple[str, str], dict[str, tuple[Presence, int]]] = field(default_factory=dict)

    def join(self, tenant: str, model: str, presence: Presence) -> bool:
        """True where the person was not there before."""
        there = self._open.setdefault((tenant, model), {})
        known, channels = there.get(presence.user, (presence, 0))
        there[presence.user] = (known, channels + 1)
        return channels == 0

    def leave(self, tenant: str, model: str, user: str) -> bool:
        """True where it was the person's last channel."""
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

    def of(self, tenant: str, model: str) -> list[Presence]:
        """By when they came."""
        there = self._open.get((tenant, model), {})
        return sorted((presence for presence, _ in there.values()), key=lambda one: (one.joined_at, one.user))
