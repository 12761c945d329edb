"""Lays chosen paths over each other. What they share becomes one selection, one call, one request.

Hops into one subgraph on one level are one request, with an `_entities` field for each place and form of representation.
"""

from collections.abc import Iterable

from graph.planner.fetch_graph.steps import Conditions, OutputTree, Step
from graph.planner.normalize.operation import Condition, Field, Fragment, Selection
from graph.planner.plan import ContextVariable, InputField, Representation
from graph.query_graph import QueryGraph
from graph.query_graph.paths import Cast, Enter, Hop, Path, Select


class FetchGraph:
    """The steps of one operation, or of one root field of a mutation."""

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self.steps: dict[tuple[int, str, Condition | None], Step] = {}
        self._located: dict[tuple[Path, Condition | None], tuple[Step, OutputTree]] = {}

    def add(self, path: Path, conditions: Conditions) -> None:
        """Asks for what the path leads to, which is wanted under the conditions only.

        What is deferred gets a request of its own, so that the rest need not wait for it; what that request needs does not.
        """
        deferral = max((c for c in conditions if c.is_deferral), default=None)
        step, _ = self._locate(path, deferral)
        todo, seen = [step], {step}
        while todo:
            step = todo.pop()
            step.need(conditions)
            todo += step.depends_on - seen
            seen |= step.depends_on

    def _locate(self, path: Path, deferral: Condition | None) -> tuple[Step, OutputTree]:
        """The request in which the path ends, and the selections of the object at its end."""
        if (path, deferral) not in self._located:
            self._located[path, deferral] = self._lay(path, deferral)
        return self._located[path, deferral]

    def _lay(self, path: Path, deferral: Condition | None) -> tuple[Step, OutputTree]:
        match path.move:
            case Enter():
                step = self._step(path, path.tail.subgraph, deferral)
                step.root = step.root or OutputTree(path.tail)
                return step, step.root
            case Hop():
                return self._lay_hop(path, path.move, deferral)
        assert path.parent is not None
        if isinstance(path.move, Select) and isinstance(path.parent.move, Enter) and deferral not in path.move.field.conditions:
            deferral = None  # a root field that is not deferred itself is asked for at once, with all that its subgraph has below it
        step, tree = self._locate(path.parent, deferral)
        match path.move:
            case Cast():
                return step, tree.fragment(path.tail)
            case Select():
                entry = tree.select(path.move.field, None if path.move.is_leaf else path.tail)
                return step, entry.tree or tree

    def _lay_hop(self, path: Path, move: Hop, deferral: Condition | None) -> tuple[Step, OutputTree]:
        step = self._step(path, move.request(path.tail.subgraph), deferral)
        step.context_types = tuple(c.type for c in move.contexts)
        step.contexts = tuple(
            ContextVariable(c.variable, c.segments, merge_inputs(self._inputs(c.selections, nullable=True))) for c in move.contexts
        )
        representation = Representation(
            types=move.place.narrowed_to,
            typename=move.typename,
            fields=merge_inputs([*self._inputs(move.key, nullable=False), *self._inputs(move.requires, nullable=True)]),
        )
        for premise in move.premises:
            provider, _ = self._locate(premise, None)
            assert provider.level < step.level
            step.depends_on.add(provider)
        return step, step.call(move.place.segments, representation).tree.fragment(path.tail)

    def _step(self, path: Path, request: str, deferral: Condition | None) -> Step:
        key = (path.level, request, deferral)
        if key not in self.steps:
            self.steps[key] = Step(path.tail.subgraph, path.level)
        return self.steps[key]

    def _inputs(self, selections: Iterable[Selection], *, nullable: bool, types: frozenset[str] | None = None) -> Iterable[InputField]:
        for selection in selections:
            match selection:
                case Field(name="__typename"):
                    continue
                case Field():
                    inner = merge_inputs(self._inputs(selection.selections, nullable=nullable))
                    yield InputField(selection.name, selection.key, types, inner, nullable)
                case Fragment():
                    possible = self.graph.types[selection.type_condition].possible_types
                    yield from self._inputs(selection.selections, nullable=nullable, types=possible)


def merge_inputs(inputs: Iterable[InputField]) -> tuple[InputField, ...]:
    """Inputs of one name, from key and requirements, as one."""
    merged: dict[tuple[str, str, frozenset[str] | None], InputField] = {}
    for new in inputs:
        key = (new.name, new.key, new.types)
        known = merged.get(key)
        if known is not None:
            fields = merge_inputs((*known.fields, *new.fields))
            new = InputField(new.name, new.key, new.types, fields, known.nullable and new.nullable)
        merged[key] = new
    return tuple(merged.values())
