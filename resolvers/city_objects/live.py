"""Changes of city objects for one who watches a filter: what enters it, changes inside it, and leaves it.

An event of the store names the objects that changed. Whether they meet the filter is asked of the store as it is now, one statement
for all of them; whether they met it before is remembered. So who watches may hear less than happened, of an object that changed
twice in no time, and always comes to the state that is.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from graph.contracts import Bus, Event
from graph.errors import BadUserInput, ResyncRequired
from resolvers.city_objects import queries
from resolvers.city_objects.events import CHANNEL, Change
from resolvers.city_objects.records import CityObject, CityObjectFilter
from resolvers.stores.engine import Store
from resolvers.stores.feed import journal_feed
from resolvers.stores.journal import last_seq, last_seq_in

__all__ = ["ObjectChange", "Place", "Seen", "object_changes"]

MAX_MEMBERS = 200_000
"""Objects that meet a filter that is watched."""
_LOT = 1_000

Changed = tuple[UUID, Change]


class Seen(StrEnum):
    """What has happened to an object as seen through a filter."""

    CREATED = "CREATED"
    ENTERED = "ENTERED"
    UPDATED = "UPDATED"
    LEFT = "LEFT"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Place:
    """After the first `objects` of those that the event `seq` names; after all of them where that is None."""

    seq: int
    objects: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """`object` as it is now; None where it was deleted or has left. `place` is what has been told with it."""

    place: Place
    city: str
    uuid: UUID
    seen: Seen
    object: CityObject | None


@dataclass(slots=True)
class _Members:
    """The objects that meet the filter, by city, as far as it was told.

    Who comes back was told something that is not known here: until the event `unsure_until`, which happened before `known` was read,
    `told` are the objects of which it is known.
    """

    known: dict[str, set[UUID]]
    unsure_until: int
    told: set[tuple[str, UUID]] = field(default_factory=set)

    def had(self, seq: int, city: str, uuid: UUID) -> bool | None:
        if seq <= self.unsure_until and (city, uuid) not in self.told:
            return None
        return uuid in self.known.get(city, ())

    def set(self, seq: int, city: str, uuid: UUID, *, member: bool) -> None:
        members = self.known.setdefault(city, set())
        if member:
            members.add(uuid)
        else:
            members.discard(uuid)
        if seq <= self.unsure_until:
            self.told.add((city, uuid))
        else:
            self.told.clear()

    def check(self) -> None:
        if len(self.told) > MAX_MEMBERS:
            raise ResyncRequired(f"more than {MAX_MEMBERS:,} objects have changed since")
        if sum(map(len, self.known.values())) > MAX_MEMBERS:
            raise BadUserInput(f"More than {MAX_MEMBERS:,} objects meet the filter: narrow it to watch them")


async def object_changes(
    store: Store, bus: Bus, tenant: str, wanted: CityObjectFilter, after: Place | None = None
) -> AsyncGenerator[ObjectChange, None]:
    """The changes from now on, or from that place.

    Who comes back is told of each object that has changed since: ENTERED or CREATED where it meets the filter now, and LEFT where it
    does not, though it may not have met it before. Raises `BadUserInput` where too many objects meet the filter; and `ResyncRequired`
    where the place is too far back, or none that there has been.
    """
    members, newest = await _begin(store, tenant, wanted, resumes=after is not None)
    start = Place(newest) if after is None else after
    if start.seq > newest:
        raise ResyncRequired(f"there have been {newest:,} events: there is no number {start.seq:,} among them")
    first = start.seq if start.objects is None else start.seq - 1
    async with aclosing(journal_feed(store, bus, tenant, CHANNEL, first)) as events:
        async for event in events:
            done = (start.objects or 0) if event.seq == start.seq else 0
            async with aclosing(_seen(store, tenant, wanted, members, event, done)) as changes:
                async for change in changes:
                    yield change


async def _begin(store: Store, tenant: str, wanted: CityObjectFilter, *, resumes: bool) -> tuple[_Members | None, int]:
    """The members, and the number of the event up to which they are true; no members where everything meets the filter."""
    if replace(wanted, cities=None) == CityObjectFilter():
        return None, await last_seq(store, tenant, CHANNEL)
    async with store.read() as connection:
        newest = await last_seq_in(connection, tenant, CHANNEL)
        known = await queries.all_matching(connection, tenant, wanted, MAX_MEMBERS)
    members = _Members(known, newest if resumes else 0)
    members.check()
    return members, newest


async def _seen(
    store: Store, tenant: str, wanted: CityObjectFilter, members: _Members | None, event: Event, done: int
) -> AsyncGenerator[ObjectChange, None]:
    """What of an event is seen, but for the first `done` objects that it names. The last change has the whole event done."""
    city = event.payload["city"]
    if wanted.cities is not None and city not in wanted.cities:
        return
    named = [(UUID(uuid), Change(change)) for uuid, change in event.payload["objects"]]
    last: ObjectChange | None = None
    for start in range(done, len(named), _LOT):
        lot = named[start : start + _LOT]
        there = [uuid for uuid, change in lot if change is not Change.DELETED]
        matching = await queries.matching(store, tenant, city, wanted, there) if there else {}
        for change in _told(members, event.seq, city, start, lot, matching):
            if last is not None:
                yield last
            last = change
        if members is not None:
            members.check()
    if last is not None:
        yield replace(last, place=Place(event.seq))


def _told(
    members: _Members | None, seq: int, city: str, start: int, lot: Sequence[Changed], matching: Mapping[UUID, CityObject]
) -> Iterator[ObjectChange]:
    for number, (uuid, change) in enumerate(lot, start + 1):
        found = matching.get(uuid)
        if members is None:
            seen: Seen | None = Seen(change)
        else:
            seen = _through_filter(change, had=members.had(seq, city, uuid), has=found is not None)
            members.set(seq, city, uuid, member=found is not None)
        if seen is not None:
            yield ObjectChange(Place(seq, number), city, uuid, seen, found)


def _through_filter(change: Change, *, had: bool | None, has: bool) -> Seen | None:
    """`had` is None where it is not known. Nothing is seen of what neither met the filter nor meets it."""
    match change:
        case Change.CREATED:
            return Seen.CREATED if has else None
        case Change.DELETED:
            return None if had is False else Seen.DELETED
        case Change.UPDATED if has:
            return Seen.UPDATED if had else Seen.ENTERED
        case Change.UPDATED:
            return None if had is False else Seen.LEFT
