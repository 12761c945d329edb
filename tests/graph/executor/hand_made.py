"""Plans and subgraphs written by hand, for the executor's tests."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema, build_schema, parse

from graph.contracts import OperationKind, Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor import ExecutionOutcome, Executor, ExecutorLimits
from graph.planner.normalize.operation import Condition, Field, Operation, Selection
from graph.planner.plan import EntityCall, Fetch, InputField, PathSegment, Plan, Representation

CONTEXT = RequestContext(Principal("ada", "FI-HELSINKI"), "request-1")
Answer = SubgraphResponse | Exception | Callable[[SubgraphRequest], SubgraphResponse]


@dataclass
class Scripted:
    """A transport that answers from a script, by the first word of the document that the script names; it keeps what it was asked."""

    answers: Mapping[str, Answer]
    asked: list[SubgraphRequest] = field(default_factory=list)
    delay: float = 0.0

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.asked.append(request)
        await asyncio.sleep(self.delay)
        answer = next(answer for word, answer in self.answers.items() if word in request.document)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    async def close(self) -> None:
        return None


def subgraph(sdl: str, query: Mapping[str, Callable[..., Any]], entities: Callable[..., Any] | None = None) -> GraphQLSchema:
    """A graphql-core schema with resolvers for its root fields; `entities` answers one representation."""
    schema = build_schema(sdl)
    assert schema.query_type is not None
    for name, resolve in query.items():
        schema.query_type.fields[name].resolve = resolve
    if entities is not None:
        schema.query_type.fields["_entities"].resolve = lambda _root, _info, representations: [entities(one) for one in representations]
    return schema


def select(name: str, *selections: Selection, alias: str | None = None, key: str | None = None, **options: Any) -> Field:
    return Field(name, alias or name, key or name, selections=selections, **options)


def plan(selections: Sequence[Selection], *fetches: Fetch, kind: OperationKind = OperationKind.QUERY, variables: str = "") -> Plan:
    """`variables` are definitions, as in a document."""
    definitions = parse(f"query({variables}) {{ a }}").definitions[0].variable_definitions if variables else ()
    return Plan(Operation(kind, None, tuple(selections), tuple(definitions)), fetches)


def root(subgraph: str, document: str, **options: Any) -> Fetch:
    return Fetch(subgraph, document, options.pop("kind", OperationKind.QUERY), **options)


def entities(
    subgraph: str, fields: str, path: str, key: str = "id", on: str = "Product", after: Sequence[int] = (0,), **options: Any
) -> Fetch:
    """A fetch with one call: `path` is keys joined by dots, `key` the names of the inputs, joined by spaces."""
    document = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {on} {{ {fields} }} }} }}"
    return Fetch(subgraph, document, OperationKind.QUERY, calls=(call(path, key, on),), depends_on=tuple(after), **options)


def call(path: str, key: str = "id", on: str = "Product", alias: str = "_entities", variable: str = "r") -> EntityCall:
    inputs = tuple(InputField(name, name) for name in key.split())
    return EntityCall(alias, variable, (steps(path),), (Representation(frozenset({on}), None, inputs),))


def steps(path: str) -> tuple[PathSegment, ...]:
    return tuple(PathSegment(key) for key in path.split("."))


def given(variable: str, expected: bool = True) -> frozenset[Condition]:
    return frozenset({Condition(variable, expected)})


async def run(
    api: str, plan: Plan, transports: Mapping[str, Any], variables: Mapping[str, Any] | None = None, limits: ExecutorLimits | None = None
) -> ExecutionOutcome:
    return await Executor(build_schema(api), transports, limits).run(plan, variables or {}, CONTEXT)
