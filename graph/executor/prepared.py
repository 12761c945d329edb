"""What can be worked out once for a plan: shapes, walks, generated code. Nothing in it depends on a request."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphql import GraphQLSchema

from graph.executor.client_paths import client_path, source_paths
from graph.executor.faults import PathKey
from graph.executor.introspection import Introspection
from graph.executor.projection import Projection
from graph.executor.projection.completion import Hidden
from graph.executor.representations import Builder, prepare_builder
from graph.executor.shape import Shape, read_shape
from graph.executor.targets import Walk, plan_walk
from graph.planner.plan import EntityCall, Fetch, Plan


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """One `_entities` field: `levels` are the places of its paths in the fetch's walk, `shape` is that of one entity."""

    call: EntityCall
    levels: tuple[int, ...]
    shape: Shape
    build: Builder


@dataclass(frozen=True, slots=True)
class PreparedFetch:
    """`dependents` are the fetches that wait for this one. Without `calls`, `shape` is that of the root."""

    index: int
    fetch: Fetch
    shape: Shape
    walk: Walk
    calls: tuple[PreparedCall, ...]
    dependents: tuple[int, ...]


@dataclass(slots=True)
class PreparedPlan:
    plan: Plan
    fetches: tuple[PreparedFetch, ...]
    projection: Projection
    introspection: Introspection
    _services: dict[tuple[PathKey, ...], str] | None = field(default=None)

    @property
    def shared(self) -> bool:
        return not any(one.fetch.contexts for one in self.fetches)

    def service_of(self, path: Sequence[PathKey]) -> str | None:
        """The subgraph that answers the field at a path of the client."""
        if self._services is None:
            self._services = self._find_services()
        return self._services.get(tuple(key for key in path if isinstance(key, str)))

    def _find_services(self) -> dict[tuple[PathKey, ...], str]:
        services: dict[tuple[PathKey, ...], str] = {}
        for one in self.fetches:
            origins = [(path, call.shape) for call in one.calls for path in call.call.paths] or [((), one.shape)]
            for segments, shape in origins:
                for path in source_paths(segments, shape):
                    asked = client_path(self.plan.operation, path)
                    if len(asked) == len(path):
                        services.setdefault(tuple(asked), one.fetch.subgraph)
        return services


def prepare(plan: Plan, schema: GraphQLSchema, hidden: Hidden) -> PreparedPlan:
    fetches = tuple(_prepare_fetch(index, plan) for index in range(len(plan.fetches)))
    return PreparedPlan(plan, fetches, Projection(schema, plan.operation, hidden, plan.denied), Introspection(schema, plan.operation))


def _prepare_fetch(index: int, plan: Plan) -> PreparedFetch:
    fetch = plan.fetches[index]
    shape = read_shape(fetch.document)
    walk, ends = plan_walk([path for call in fetch.calls for path in call.paths])
    calls: list[PreparedCall] = []
    for call in fetch.calls:
        levels, ends = tuple(ends[: len(call.paths)]), ends[len(call.paths) :]
        calls.append(PreparedCall(call, levels, shape.objects[call.alias], prepare_builder(call)))
    dependents = tuple(number for number, later in enumerate(plan.fetches) if index in later.depends_on)
    return PreparedFetch(index, fetch, shape, walk, tuple(calls), dependents)
