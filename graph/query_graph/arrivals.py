"""The ways to stand at one place of the response, and where one can get from there without leaving it.

Where the subgraphs at hand do not answer, the arrivals are closed under hops: a hop becomes possible as soon as paths to all its inputs
are known, the lowest level first (Knuth's generalisation of Dijkstra's algorithm to rules with several premises).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from graph.query_graph.moves import EntityMove, FieldMove
from graph.query_graph.nodes import Node
from graph.query_graph.paths import ContextInput, Path, Place, best_by_tail, cast
from graph.query_graph.selections import Selection

if TYPE_CHECKING:
    from graph.query_graph.search import Search


class Arrivals:
    """The ways to stand at one place."""

    def __init__(
        self, search: "Search", place: Place, frontier: Iterable[Path], *, above: "Arrivals | None" = None, closed: bool = False
    ) -> None:
        self.place = place
        self.above = above
        self.frontier = best_by_tail(frontier)
        self._search = search
        self._everything: list[Path] | None = self.frontier if closed else None
        self._narrowed: dict[str, Arrivals] = {}
        self._with_inputs: dict[str, list[Path]] = {}
        self.premises: dict[tuple[Selection, ...], list[tuple[Path, ...]]] = {}
        """For the inputs of a hop from here, the ways to have them all."""

    @property
    def floor(self) -> int:
        """The lowest level on which anything stands here."""
        return self.frontier[0].level

    def everything(self) -> list[Path]:
        """The frontier, and what can be reached from it by entering other subgraphs at this place."""
        if self._everything is None:
            self._everything = self._close()
        return self._everything

    def narrowed(self, type_name: str) -> "Arrivals":
        """What is left after `... on type_name`; its frontier is empty where no such object can stand here."""
        if type_name not in self._narrowed:
            graph = self._search.graph
            place = self.place.narrow(type_name, graph.types[type_name].possible_types)
            blind = any(graph.is_interface_object(p.tail) for p in self.frontier)
            # where types are unknown they are asked for first, of every object here: a subgraph that knows them is entered unnarrowed
            origin = self.everything() if blind else self.frontier
            paths = [cast(p, tail) for p in origin if (tail := graph.narrow(p.tail, type_name)) is not None]
            closed = self._everything is self.frontier
            self._narrowed[type_name] = Arrivals(self._search, place, paths, above=self.above, closed=closed)
        return self._narrowed[type_name]

    def with_inputs(self, field_name: str) -> list[Path]:
        """The paths that enter a subgraph with the inputs that the field `@requires` there, down to the object that has it."""
        if field_name not in self._search.graph.requiring:
            return []
        if field_name in self._with_inputs:
            return self._with_inputs[field_name]
        found: list[Path] = []
        complete = True
        for tail in {p.tail: None for p in self.everything()}:
            move = self._search.graph.field(tail, field_name)
            if move is None or not move.needs_inputs:
                continue
            edge = (self.place.segments, tail, field_name)
            if edge in self._search.active:
                complete = False
                continue
            self._search.active.add(edge)
            found.extend(self._enter_with(tail, field_name, move))
            self._search.active.discard(edge)
        paths = best_by_tail(found)
        if complete and not self._search.active:
            self._with_inputs[field_name] = paths
        return paths

    def _enter_with(self, tail: Node, field_name: str, move: FieldMove) -> list[Path]:
        target = (tail.subgraph, tail.type_name)
        entries = [e for e in self._moves(self.everything()) if (e.tail.subgraph, e.tail.type_name) == target]
        requires = self._search.requirements.selections(move.requires, tail.type_name)
        contexts = self._contexts(field_name, move)
        if contexts is None:
            return []
        return [path for entry in entries for path in self._search.hop(self, entry, requires, contexts)]

    def _contexts(self, field_name: str, move: FieldMove) -> list[tuple[ContextInput, list[Path]]] | None:
        """What the field takes from its contexts, with the paths to it; None where a context is not set above, or cannot be had."""
        found: list[tuple[ContextInput, list[Path]]] = []
        for context in move.contexts:
            above = self._setting(context.context)
            if above is None:
                return None
            selections = self._search.requirements.selections(context.selections, above.place.type_name)
            paths = self._search.paths_to(selections, above)
            if paths is None:
                return None
            variable = f"context_{field_name}_{context.argument}"
            found.append((ContextInput(variable, context.argument, context.type, above.place.segments, selections), paths))
        return found

    def _setting(self, context: str) -> "Arrivals | None":
        """The nearest place above whose objects set a context."""
        types = self._search.graph.types
        above = self.above
        while above is not None:
            info = types[above.place.type_name]
            if any(context in types[name].contexts for name in (info.name, *sorted(info.interfaces)) if name in types):
                return above
            above = above.above
        return None

    def _moves(self, paths: Iterable[Path]) -> list[EntityMove]:
        graph = self._search.graph
        tables = dict.fromkeys(graph.entity_moves(tail) for tail in dict.fromkeys(p.tail for p in paths))
        return list(dict.fromkeys(move for table in tables for move in table))

    def _close(self) -> list[Path]:
        known = list(self.frontier)
        tails = {(p.tail.subgraph, p.tail.type_name) for p in known}
        # a subgraph at hand may also be entered from another one at hand, which can be the better way to it
        entered = tails if len(tails) == 1 else set()
        while True:
            view = Arrivals(self._search, self.place, known, above=self.above, closed=True)
            moves = [m for m in self._moves(known) if (m.tail.subgraph, m.tail.type_name) not in entered]
            found = [(path, m.tail) for m in moves for path in self._search.hop(view, m, ())]
            if not found:
                return best_by_tail(known)
            level = min(path.level for path, _ in found)
            for path, target in found:
                if path.level == level:
                    known.append(path)
                    entered.add((target.subgraph, target.type_name))
