"""Who is whose parent: no object is below itself, none is deeper than is sensible, and each parent is there."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from graph.errors import BadUserInput, CityGraphError, NotFound

MAX_ANCESTORS = 100


def wrong_parents(wanted: Mapping[int, tuple[UUID, UUID | None]], stored: Mapping[UUID, UUID | None]) -> dict[int, CityGraphError]:
    """Which of the wanted (object, parent) pairs cannot be, and why.

    `stored` has every wanted parent that there is, and its ancestors, each with its parent. An object that is wanted counts as
    one that there is, for as long as it is not wrong itself.
    """
    children: dict[UUID, list[int]] = {}
    for place, (_, parent) in wanted.items():
        if parent is not None:
            children.setdefault(parent, []).append(place)
    parents = {**stored, **dict(wanted.values())}
    wrong: dict[int, CityGraphError] = {}
    places: Iterable[int] = list(wanted)
    while places:
        found = {place: error for place in places if place not in wrong and (error := _fault(wanted[place][0], parents)) is not None}
        wrong |= found
        gone = {wanted[place][0] for place in found}
        for uuid in gone:
            # What is not changed stays under the parent that it has.
            if uuid in stored:
                parents[uuid] = stored[uuid]
            else:
                del parents[uuid]
        places = [place for uuid in gone for place in children.get(uuid, ())]
    return wrong


def _fault(uuid: UUID, parents: Mapping[UUID, UUID | None]) -> CityGraphError | None:
    at = parents[uuid]
    if at is not None and at not in parents:
        return NotFound(f"There is no city object {at} to be a parent")
    seen = {uuid}
    while at is not None:
        if at == uuid:
            return BadUserInput("The object would be its own parent, or its parent's ancestor")
        if at in seen:
            # Somebody else's circle, which is refused there.
            return None
        if len(seen) > MAX_ANCESTORS:
            return BadUserInput(f"The object would have more than {MAX_ANCESTORS} ancestors")
        seen.add(at)
        at = parents.get(at)
    return None
