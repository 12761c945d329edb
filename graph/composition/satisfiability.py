"""Checks that every operation the public API allows can be answered.

Walks states: a type of the API, and the nodes of the query graph at which one can have arrived there. A field that cannot be reached from
a state is an error, shown by the operation that leads there. A state is skipped where one with fewer nodes, from which all could be
reached, was seen before. The planner's own search does the reaching, so the two cannot disagree.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from graphql import GraphQLObjectType, GraphQLSchema, is_leaf_type

from graph.composition.result import CompositionError, Location
from graph.query_graph import Node, QueryGraph
from graph.query_graph.arrivals import Arrivals
from graph.query_graph.keys import KeyAllocator
from graph.query_graph.paths import PathSegment, Place, enter
from graph.query_graph.requirements import RequirementReader
from graph.query_graph.search import TYPENAME, Search, Unreachable
from graph.query_graph.selections import Field
from graph.supergraph import Supergraph
from graph.supergraph.field_sets import print_field_set
from graph.supergraph.model import FieldInfo

CODE = "SATISFIABILITY_ERROR"
MAX_ERRORS = 50
Locate = Callable[[str, str], Iterable[Location]]


@dataclass(frozen=True, slots=True)
class _State:
    """`trail` is the operation that led here: field names, and type conditions as `... on T`."""

    arrivals: Arrivals
    trail: tuple[str, ...]
    nodes: frozenset[Node]
    contexts: frozenset[str] = frozenset()
    """The contexts that are set on the way here, the state's own type included."""

    @classmethod
    def of(cls, arrivals: Arrivals, trail: tuple[str, ...], contexts: frozenset[str] = frozenset()) -> "_State":
        return cls(arrivals, trail, frozenset(path.tail for path in arrivals.frontier), contexts)


def unsatisfiable(supergraph: Supergraph, locate: Locate) -> list[CompositionError]:
    """An error for each field that some operation cannot reach; with override labels all off, and all on.

    `locate` tells where subgraphs define a field of a type.
    """
    labels = frozenset(
        source.override_label
        for info in supergraph.types.values()
        for field in info.fields.values()
        for source in field.sources.values()
        if source.override_label is not None
    )
    errors: dict[str, CompositionError] = {}
    for active in dict.fromkeys((frozenset[str](), labels)):
        for error in _Walk(supergraph, active, locate).errors():
            errors.setdefault(error.message, error)
            if len(errors) >= MAX_ERRORS:
                return list(errors.values())
    return list(errors.values())


class _Walk:
    def __init__(self, supergraph: Supergraph, labels: frozenset[str], locate: Locate) -> None:
        self.locate = locate
        self.api: GraphQLSchema = supergraph.api_schema
        self.types = supergraph.types
        self.graph = QueryGraph(supergraph, labels)
        self.search = Search(self.graph, RequirementReader(supergraph, frozenset(), KeyAllocator()))
        self.roots = supergraph.root_types
        self.seen: dict[tuple[str, frozenset[str] | None, frozenset[str]], list[frozenset[Node]]] = {}
        self.reported: set[tuple[str, str]] = set()

    def errors(self) -> Iterator[CompositionError]:
        todo = deque(self._start())
        while todo:
            state = todo.popleft()
            if self._subsumed(state):
                continue
            if self.types[state.arrivals.place.type_name].is_abstract:
                yield from self._narrow(state, todo)
            else:
                yield from self._select(state, todo)

    def _start(self) -> Iterator[_State]:
        for kind, root in self.roots.items():
            nodes = self.graph.roots(root)
            if kind == "query":
                yield _State.of(Arrivals(self.search, Place((), root), map(enter, nodes), closed=True), (kind,))
            else:  # a field with effects, and a stream, runs in one subgraph, and each that offers it must do
                for node in nodes:
                    yield _State.of(Arrivals(self.search, Place((), root), [enter(node)], closed=True), (kind,))

    def _subsumed(self, state: _State) -> bool:
        place = state.arrivals.place
        seen = self.seen.setdefault((place.type_name, place.narrowed_to, state.contexts), [])
        if any(nodes <= state.nodes for nodes in seen):
            return True
        seen.append(state.nodes)
        return False

    def _narrow(self, state: _State, todo: deque[_State]) -> Iterator[CompositionError]:
        try:
            self.search.run_time_type(state.arrivals)
        except Unreachable:
            yield self._error(state, TYPENAME.name, None)
            return
        for type_name in sorted(self.types[state.arrivals.place.type_name].possible_types):
            narrowed = state.arrivals.narrowed(type_name)
            if narrowed.frontier and type_name in self.api.type_map:
                contexts = state.contexts | self.types[type_name].contexts
                todo.append(_State.of(narrowed, (*state.trail, f"... on {type_name}"), contexts))

    def _select(self, state: _State, todo: deque[_State]) -> Iterator[CompositionError]:
        place = state.arrivals.place
        api_type = self.api.type_map.get(place.type_name)
        if not isinstance(api_type, GraphQLObjectType):
            return
        for name, api_field in api_type.fields.items():
            info = self.types[place.type_name].fields[name]
            if not place.segments and state.trail[0] != "query" and not self._offered(state, name):
                continue
            options = self.search.options(Field(name, name, name), state.arrivals)
            if not options:
                if (place.type_name, name) not in self.reported:
                    self.reported.add((place.type_name, name))
                    yield self._error(state, name, info)
            elif info.type_name in self.types and not is_leaf_type(api_field.type):
                below = Place((PathSegment(name),), info.type_name)
                arrivals = Arrivals(self.search, below, options, above=state.arrivals)
                contexts = state.contexts | self.types[info.type_name].contexts
                todo.append(_State.of(arrivals, (*state.trail, name), contexts))

    def _offered(self, state: _State, name: str) -> bool:
        return any(self.graph.field(path.tail, name) for path in state.arrivals.frontier)

    def _error(self, state: _State, name: str, info: FieldInfo | None) -> CompositionError:
        type_name = state.arrivals.place.type_name
        owners = sorted(info.sources) if info else sorted(self.types[type_name].subgraphs)
        reasons = [
            f'  - from subgraph "{node.subgraph}": {reason}'
            for node in sorted(state.nodes, key=lambda n: n.subgraph)
            for reason in self._reasons(node, type_name, name, owners)
        ]
        witness = _operation((*state.trail, name), self._needs_selection(info))
        message = "\n".join((f"{type_name}.{name} cannot always be reached. This cannot be answered:", witness, "because", *reasons))
        subgraphs = tuple(sorted({n.subgraph for n in state.nodes} | set(owners)))
        return CompositionError(CODE, message, subgraphs, tuple(sorted(self.locate(type_name, name))))

    def _needs_selection(self, info: FieldInfo | None) -> bool:
        return info is not None and info.type_name in self.types

    def _reasons(self, node: Node, type_name: str, name: str, owners: Iterable[str]) -> Iterator[str]:
        yield f'it does not answer "{type_name}.{name}" itself;'
        for owner in owners:
            if owner == node.subgraph:
                continue
            local = self.types[type_name].subgraphs.get(owner)
            keys = [k.fields for k in local.keys if k.resolvable] if local else []
            if not keys:
                why = f'"{type_name}" has no resolvable @key there; add one, or make the field @shareable here'
                yield f'it cannot go on to subgraph "{owner}": {why};'
            for key in keys:
                yield f'it cannot go on to subgraph "{owner}" by the key "{print_field_set(key)}": not all of it can be had from here;'


def _operation(trail: tuple[str, ...], open_ended: bool) -> str:
    """The witness on one line: `query { a { ... on B { c } } }`."""
    kind, *rest = trail
    inner = "{ __typename }" if open_ended else ""
    for part in reversed(rest):
        inner = f"{{ {part} {inner}".rstrip() + " }"
    return f"  {kind} {inner}"
