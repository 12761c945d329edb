"""One operation's way, whatever protocol brought it: document → limits → validation → plan → execution → answer.

What a document turns into is remembered, so a known one costs a look-up before its first fetch. A new one is prepared one at a
time, and off the event loop where it is long: its cost delays other new documents, never those that are running.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from graph.contracts import OperationKind, RequestContext
from graph.errors import (
    BadRequest,
    BadUserInput,
    CityGraphError,
    GraphQLParseFailed,
    GraphQLValidationFailed,
    MethodNotAllowed,
)
from graph.executor import Executor
from graph.planner import Planner
from graph.planner.plan import Plan
from graph.server.document_limits import DocumentLimits, check_document, check_text
from graph.server.problems import Trace, complete, graphql_error, syntax_errors

INLINE_CHARACTERS = 2_000
"""Up to this length a document is prepared on the event loop: that costs less than handing it to a thread and back."""
MAX_REPORTED_ERRORS = 20
MAX_CACHED_CHARACTERS = 20_000_000


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client sends, whatever the protocol."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Ready to encode. `status` is what the first request error asks for; 200 where there is `data`."""

    body: Mapping[str, Any]
    status: int = 200

    @property
    def executed(self) -> bool:
        return "data" in self.body


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid operation: its plan, and the definitions of its variables."""

    kind: OperationKind
    variables: tuple[VariableDefinitionNode, ...]
    plan: Plan


class RefusedError(Exception):
    """The document cannot be run; graphql-core's errors say why, `kind` is ours for all of them."""

    def __init__(self, kind: type[CityGraphError], errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.kind, self.errors = kind, errors


class Pipeline:
    """Answers operations over one supergraph."""

    def __init__(
        self,
        api_schema: GraphQLSchema,
        planner: Planner,
        executor: Executor,
        *,
        limits: DocumentLimits,
        cached_documents: int,
    ) -> None:
        self._api_schema, self._planner, self._executor = api_schema, planner, executor
        self._limits = limits
        self._cache = DocumentCache(cached_documents)
        self._preparing = asyncio.Lock()

    async def answer(self, request: GraphQLRequest, context: RequestContext, trace: Trace, *, read_only: bool = False) -> Answer:
        """Never raises for what a client sent: request errors and field errors are both answers.

        `read_only` refuses what is not a query (`MethodNotAllowed`, raised: it is the server's protocol that forbids it).
        """
        try:
            prepared = await self._prepared(request)
            check_kind(prepared.kind, read_only=read_only)
            variables = self._coerced(prepared, request.variables)
        except MethodNotAllowed:
            raise
        except RefusedError as refused:
            return Answer({"errors": syntax_errors(refused.kind, refused.errors, trace)}, refused.kind.status)
        except CityGraphError as error:
            return Answer({"errors": [graphql_error(error, trace)]}, error.status)
        outcome = await self._executor.run(prepared.plan, variables, context)
        if not outcome.errors:
            return Answer({"data": outcome.data})
        return Answer({"errors": [complete(error, trace) for error in outcome.errors], "data": outcome.data})

    async def _prepared(self, request: GraphQLRequest) -> Prepared:
        key = (sha256(request.query.encode("utf-8", "surrogatepass")).digest(), request.operation_name)
        if (known := self._cache.get(key)) is not None:
            return known
        async with self._preparing:
            if (known := self._cache.get(key)) is not None:
                return known
            if len(request.query) <= INLINE_CHARACTERS:
                prepared = self._prepare(request.query, request.operation_name)
            else:
                prepared = await asyncio.to_thread(self._prepare, request.query, request.operation_name)
            self._cache.put(key, prepared, len(request.query))
            return prepared

    def _prepare(self, text: str, operation_name: str | None) -> Prepared:
        check_text(text, self._limits)
        document = self._parse(text)
        check_document(document, self._limits)
        if errors := validate(self._api_schema, document, max_errors=MAX_REPORTED_ERRORS, allow_empty_selection_sets=False):
            raise RefusedError(GraphQLValidationFailed, errors)
        operation = chosen_operation(document, operation_name)
        plan = self._planner.plan(document, operation_name)
        self._executor.prepare(plan)
        return Prepared(OperationKind(operation.operation.value), tuple(operation.variable_definitions or ()), plan)

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self._limits.tokens, allow_empty_selection_sets=False)
        except GraphQLError as error:
            raise RefusedError(GraphQLParseFailed, [error]) from None

    def _coerced(self, prepared: Prepared, given: Mapping[str, Any]) -> dict[str, Any]:
        """Checked against the public schema, with defaults filled in (GraphQL specification §6.1.2)."""
        values = get_variable_values(self._api_schema, prepared.variables, dict(given), max_errors=MAX_REPORTED_ERRORS)
        if isinstance(values, list):
            raise RefusedError(BadUserInput, values)
        return values.coerced


class DocumentCache:
    """The documents used last; bounded by their number, and by the text that they came from."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._characters = 0
        self._known: OrderedDict[tuple[bytes, str | None], tuple[Prepared, int]] = OrderedDict()

    def get(self, key: tuple[bytes, str | None]) -> Prepared | None:
        found = self._known.get(key)
        if found is None:
            return None
        self._known.move_to_end(key)
        return found[0]

    def put(self, key: tuple[bytes, str | None], prepared: Prepared, characters: int) -> None:
        self._known[key] = (prepared, characters)
        self._characters += characters
        while len(self._known) > self._entries or self._characters > MAX_CACHED_CHARACTERS:
            _, (_, freed) = self._known.popitem(last=False)
            self._characters -= freed


def chosen_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation named, or the only one (GraphQL specification §6.1). Raises `BadRequest`."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None:
        if len(operations) == 1:
            return operations[0]
        raise BadRequest(f"the document has {len(operations)} operations: `operationName` must say which")
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise BadRequest(f"the document has no operation named {name!r}")


def check_kind(kind: OperationKind, *, read_only: bool) -> None:
    """Raises `MethodNotAllowed` for what a safe method may not do, `BadRequest` for what one response cannot hold."""
    if kind is OperationKind.SUBSCRIPTION:
        raise BadRequest("a subscription cannot be answered by one response: a live channel is needed")
    if read_only and kind is not OperationKind.QUERY:
        raise MethodNotAllowed(f"a {kind.value} cannot be sent by GET: use POST")
