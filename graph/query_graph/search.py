"""Finds, for every leaf of an operation, the paths that lead to it.

The operation is walked from the root, with `Arrivals`: the cheapest paths to each node at one place of the response. Which of a leaf's
options is taken is the planner's business.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from graph.query_graph.arrivals import Arrivals
from graph.query_graph.moves import EntityMove, QueryGraph
from graph.query_graph.nodes import Node
from graph.query_graph.paths import (
    MAX_WAYS,
    Cast,
    ContextInput,
    Hop,
    Path,
    Place,
    cast,
    cheapest,
    enter,
    hop,
    select,
    undominated,
)
from graph.query_graph.requirements import RequirementReader
from graph.query_graph.selections import NO_CONDITIONS, Condition, Field, Fragment, Selection

TYPENAME = Field("__typename", "__typename", "__typename")
Conditions = frozenset[Condition]


class Unreachable(Exception):
    """No subgraph, and no chain of them, answers a field. A supergraph that is satisfiable never raises it."""

    def __init__(self, place: Place, field: str, subgraphs: Iterable[str]) -> None:
        path = ".".join(s.key for s in place.segments) or "the root"
        super().__init__(f"{place.type_name}.{field} at {path} cannot be reached from {', '.join(sorted(set(subgraphs))) or 'anywhere'}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """Something that must be fetched: a leaf field, or (`field` None) just the object that the paths lead to."""

    field: Field | None
    conditions: Conditions
    options: tuple[Path, ...]


class Search:
    """The search for one operation."""

    def __init__(self, graph: QueryGraph, requirements: RequirementReader) -> None:
        self.graph = graph
        self.requirements = requirements
        self.active: set[object] = set()
        self._local: dict[tuple[Node, int], bool] = {}

    def leaves(self, selections: Sequence[Selection], root_type: str, roots: Iterable[Node]) -> list[Leaf]:
        """Every leaf of the selections at a root type, entered at `roots`, with its options. Raises `Unreachable`."""
        place = Place((), root_type)
        out: list[Leaf] = []
        arrivals = Arrivals(self, place, [enter(node) for node in roots], closed=True)
        for selection in selections:
            assert isinstance(selection, Field), "a root type is an object: nothing narrows it"
            if not selection.name.startswith("__"):
                self._field(selection, arrivals, NO_CONDITIONS, out)
        return out

    def hop(
        self,
        arrivals: Arrivals,
        move: EntityMove,
        requires: tuple[Selection, ...],
        contexts: Sequence[tuple[ContextInput, list[Path]]] = (),
    ) -> list[Path]:
        """The ways into a subgraph from a place; none where its inputs cannot be had from there."""
        place, tail = arrivals.place, move.tail
        narrowed = self.graph.narrow(tail, place.type_name) if place.narrowed_to is not None else tail
        if narrowed is None:
            return []
        key = self.requirements.selections(move.key, tail.type_name)
        typed: tuple[Selection, ...] = (TYPENAME,) if place.narrowed_to is not None or move.typename is None else ()
        parent = arrivals.frontier[0]
        given = tuple(context for context, _ in contexts)
        above = tuple(path for _, paths in contexts for path in paths)
        ways = self._premises((*key, *requires, *typed), arrivals)
        hops = (Hop(place, move.typename, key, requires, (*chosen, *above), given) for chosen in ways)
        return [cast(hop(parent, tail, one), narrowed) for one in hops]

    def paths_to(self, selections: tuple[Selection, ...], arrivals: Arrivals) -> list[Path] | None:
        """The cheapest paths to all of the selections at a place; None where one cannot be had."""
        leaves: list[Leaf] = []
        try:
            self._selections(selections, arrivals, NO_CONDITIONS, leaves)
        except Unreachable:
            return None
        return [cheapest(leaf.options) for leaf in leaves]

    def _premises(self, inputs: tuple[Selection, ...], arrivals: Arrivals) -> list[tuple[Path, ...]]:
        """The ways to have all inputs of a hop; none where one cannot be had, or is being looked for already further up."""
        if inputs in arrivals.premises:
            return arrivals.premises[inputs]
        edge = (arrivals.place.type_name, inputs)
        if edge in self.active:
            return []
        leaves: list[Leaf] = []
        self.active.add(edge)
        try:
            self._selections(inputs, arrivals, NO_CONDITIONS, leaves)
        except Unreachable:
            leaves = []
        finally:
            self.active.discard(edge)
        ways = arrivals.premises[inputs] = _combinations(leaves) if leaves else []
        return ways

    def _selections(self, selections: Sequence[Selection], arrivals: Arrivals, conditions: Conditions, out: list[Leaf]) -> None:
        before = len(out)
        place = arrivals.place
        abstract = self.graph.types[place.type_name].is_abstract or place.narrowed_to is not None
        with_type = False
        for selection in selections:
            if isinstance(selection, Fragment):
                with_type = True
                self._fragment(selection, arrivals, conditions, out)
            elif selection.name == TYPENAME.name:
                with_type = with_type or abstract
            elif self._field(selection, arrivals, conditions, out):
                with_type = True
        if with_type:
            out.append(Leaf(TYPENAME, conditions, self.run_time_type(arrivals)))
        elif not any(leaf.conditions == conditions for leaf in out[before:]):
            # the object is there even if all that is asked of it is skipped
            out.append(Leaf(None, conditions, tuple(arrivals.frontier)))

    def run_time_type(self, arrivals: Arrivals) -> tuple[Path, ...]:
        """The paths to the type of what stands here, which an interface object's subgraph does not know. Raises `Unreachable`."""
        for paths in (arrivals.frontier, arrivals.everything()):
            options = tuple(select(p, TYPENAME, "String!", None) for p in paths if not self.graph.is_interface_object(p.tail))
            if options:
                return options
        raise Unreachable(arrivals.place, TYPENAME.name, (p.tail.subgraph for p in arrivals.frontier))

    def _fragment(self, fragment: Fragment, arrivals: Arrivals, conditions: Conditions, out: list[Leaf]) -> None:
        on = self.graph.types[fragment.type_condition]
        types = [fragment.type_condition]
        if on.is_abstract and not all(self.graph.agrees_on(p.tail, on.name) for p in arrivals.frontier):
            types = sorted(on.possible_types & self._possible(arrivals))
        for type_name in types:
            narrowed = arrivals.narrowed(type_name)
            if narrowed.frontier:
                self._selections(fragment.selections, narrowed, conditions, out)

    def _possible(self, arrivals: Arrivals) -> frozenset[str]:
        possible = frozenset().union(*(self.graph.possible_types(p.tail) for p in arrivals.frontier))
        return possible if arrivals.place.narrowed_to is None else possible & arrivals.place.narrowed_to

    def _field(self, field: Field, arrivals: Arrivals, conditions: Conditions, out: list[Leaf]) -> bool:
        """Adds the leaves of a field. True where it had to be asked for type by type, so that the type must be known."""
        conditions |= field.conditions
        info = self.graph.types[arrivals.place.type_name]
        options = self._direct(field, arrivals, conditions) or self.options(field, arrivals, conditions)
        level = cheapest(options).level if options else None
        if info.is_abstract and level != arrivals.floor and self._expand(field, arrivals, conditions, out, level):
            return True
        if not options:
            raise Unreachable(arrivals.place, field.name, (p.tail.subgraph for p in arrivals.frontier))
        field_info = info.fields.get(field.name)
        type_name = field_info.type_name if field_info else options[0].tail.type_name
        if not field.selections and type_name not in self.graph.types:
            out.append(Leaf(field, conditions, tuple(options)))
            return False
        below = Arrivals(self, self._place(arrivals.place, options).below(field.key, type_name), options, above=arrivals)
        self._selections(field.selections, below, conditions, out)
        return False

    def _place(self, place: Place, options: Iterable[Path]) -> Place:
        """The place whose field the options select, narrowed only if their requests tell the types of the objects there.

        A subgraph that does not know the types answers the field for all objects, and nothing further down waits for the types.
        """
        if place.narrowed_to is None or all(path.parent is not None and self._knows_types(path.parent) for path in options):
            return place
        return Place(place.segments, place.type_name)

    def _knows_types(self, path: Path) -> bool:
        if not self.graph.is_interface_object(path.tail):
            return True
        while isinstance(path.move, Cast) and path.parent is not None:
            path = path.parent
        return isinstance(path.move, Hop) and path.move.is_typed

    def _direct(self, field: Field, arrivals: Arrivals, conditions: Conditions) -> list[Path]:
        """The options that need no hop, if none with a hop can be better: a hop from anywhere here would cost more than none."""
        options = self._local_options(field, arrivals.frontier, conditions)
        if field.selections:
            options = [p for p in options if self._answers_all(p.tail, field.selections)]
        return options if len(options) == len(arrivals.frontier) else []

    def options(self, field: Field, arrivals: Arrivals, conditions: Conditions = NO_CONDITIONS) -> list[Path]:
        """All ways to a field from a place, through other subgraphs too. `conditions` are its own and those of all around it."""
        options = self._local_options(field, arrivals.everything(), conditions)
        for path in arrivals.with_inputs(field.name):
            move = self.graph.field(path.tail, field.name)
            if move is not None:
                options.append(select(path, _with_contexts(_guarded(field, path, conditions), path), move.type, move.tail))
        return options

    def _local_options(self, field: Field, paths: Iterable[Path], conditions: Conditions) -> list[Path]:
        moves = ((p, self.graph.field(p.tail, field.name)) for p in paths)
        return [select(p, _guarded(field, p, conditions), m.type, m.tail) for p, m in moves if m is not None and not m.needs_inputs]

    def _expand(self, field: Field, arrivals: Arrivals, conditions: Conditions, out: list[Leaf], limit: int | None) -> bool:
        """Asks for an abstract type's field on each type that may stand here, if that is possible below the limit's level."""
        leaves: list[Leaf] = []
        for type_name in sorted(self._possible(arrivals)):
            narrowed = arrivals.narrowed(type_name)
            if not narrowed.frontier:
                continue
            try:
                self._field(field, narrowed, conditions, leaves)
            except Unreachable:
                return False
        if limit is not None and any(cheapest(leaf.options).level >= limit for leaf in leaves):
            return False
        out.extend(leaves)
        return bool(leaves)

    def _answers_all(self, node: Node, selections: Sequence[Selection]) -> bool:
        """Whether the node's subgraph answers the selections by itself."""
        key = (node, id(selections))
        if key not in self._local:
            self._local[key] = all(self._answers(node, selection) for selection in selections)
        return self._local[key]

    def _answers(self, node: Node, selection: Selection) -> bool:
        blind = self.graph.is_interface_object(node)
        if isinstance(selection, Fragment):
            narrowed = self.graph.narrow(node, selection.type_condition)
            if blind or not self.graph.agrees_on(node, selection.type_condition):
                return False
            return narrowed is None or self._answers_all(narrowed, selection.selections)
        if selection.name == TYPENAME.name:
            return not blind
        move = self.graph.field(node, selection.name)
        if move is None or move.needs_inputs:
            return False
        return move.tail is None or self._answers_all(move.tail, selection.selections)


def _with_contexts(field: Field, path: Path) -> Field:
    """The field as it is asked for at the end of a path, with the arguments that the last hop fills."""
    entered = path if isinstance(path.move, Hop) else path.parent
    contexts = entered.move.contexts if entered is not None and isinstance(entered.move, Hop) else ()
    if not contexts:
        return field
    return replace(field, arguments=(*field.arguments, *((c.argument, f"${c.variable}") for c in contexts)))


def _guarded(field: Field, path: Path, conditions: Conditions) -> Field:
    """The field with all conditions, where a request begins: the fields that the others stand on are in an earlier request."""
    if len(conditions) == len(field.conditions):
        return field
    while isinstance(path.move, Cast) and path.parent is not None:
        path = path.parent
    return replace(field, conditions=conditions) if isinstance(path.move, Hop) else field


def _combinations(premises: Sequence[Leaf]) -> list[tuple[Path, ...]]:
    """A choice of paths for all premises for each way to the first; the others follow it as cheaply as they can."""
    first, *others = premises
    result = []
    for path in undominated(first.options)[:MAX_WAYS]:
        chosen, steps = [path], path.steps
        for leaf in others:
            best = min(leaf.options, key=lambda p: (max(steps | p.steps)[0], len(steps | p.steps), p.cost))
            chosen.append(best)
            steps |= best.steps
        result.append(tuple(chosen))
    return result
