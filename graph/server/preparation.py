"""From a document's text to something that can run: limits → parsing → validation → plan, each text once.

What a document turns into is remembered, so a known one costs a look-up before its first fetch. A new one is prepared one at a
time, and off the event loop where it is long: its cost delays other new documents, never those that are running.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    VariableDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values

from graph.contracts import OperationKind
from graph.errors import BadRequest, BadUserInput, CityGraphError, GraphQLParseFailed, GraphQLValidationFailed, IntrospectionDisabled
from graph.executor import Executor
from graph.planner import Planner
from graph.planner.callers import per_caller
from graph.planner.normalize.operation import Field, Operation
from graph.planner.permitted import deciding
from graph.planner.plan import Plan
from graph.server.audit import AuditedField, audited_fields
from graph.server.coercion import Coercion, Coercions, is_large
from graph.server.document_limits import DocumentLimits, check_document, check_text
from graph.server.messages import GraphQLRequest
from graph.server.one_of_variables import OneOfVariablesRule
from graph.server.policy import Policy, RefusedField, refused_fields
from graph.supergraph.demands import Granted

INLINE_CHARACTERS = 200
"""Up to this length a document is prepared on the event loop: that takes a millisecond or two, not much more than a way to a thread."""
MAX_REPORTED_ERRORS = 20
MAX_CACHED_CHARACTERS = 20_000_000
RULES = (*specified_rules, OneOfVariablesRule)
RESUMING = frozenset({"after", "sinceVersion"})
"""Arguments of a subscription by which it begins with what was missed."""
MAX_VARIANTS = 64
"""Plans that are kept for one document: one for each set of rights that makes a difference to it."""
Key = tuple[bytes, str | None, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid operation for callers of certain rights: its plan, its variables, the root fields that they may not use.

    `audited` are the root fields that the audit log may ask after. `per_caller`: its answer is its caller's alone. `resumable`: it is a
    subscription that can begin with what was missed. `text` is the document's.
    """

    kind: OperationKind
    variables: tuple[VariableDefinitionNode, ...]
    coercion: Coercion
    plan: Plan
    refused: tuple[RefusedField, ...] = ()
    audited: tuple[AuditedField, ...] = ()
    per_caller: bool = False
    resumable: bool = False
    text: str = ""


class RefusedError(Exception):
    """The document cannot be run; graphql-core's errors say why, `kind` is ours for all of them."""

    def __init__(self, kind: type[CityGraphError], errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.kind, self.errors = kind, errors


class Preparer:
    """Prepares operations of one supergraph. Without `introspection`, the schema is told to nobody: not by suggestions either."""

    def __init__(
        self,
        planner: Planner,
        executor: Executor,
        policy: Policy,
        *,
        limits: DocumentLimits,
        cached_documents: int,
        introspection: bool,
    ) -> None:
        self._schema = planner.supergraph.api_schema
        self._planner, self._executor, self._policy = planner, executor, policy
        self._coercions = Coercions(self._schema)
        self._limits = limits
        self._introspection = introspection
        self._cache = DocumentCache(cached_documents)
        self._preparing = asyncio.Lock()

    async def prepared(self, request: GraphQLRequest, labels: frozenset[str], granted: Granted) -> Prepared:
        """The plan differs by the override labels that hold, and by what was granted to the caller as far as the operation asks for it.

        Raises `RefusedError`, or the `CityGraphError` of a limit.
        """
        key = (sha256(request.query.encode("utf-8", "surrogatepass")).digest(), request.operation_name, labels)
        if (known := self._cache.get(key, granted)) is not None:
            return known
        async with self._preparing:
            if (known := self._cache.get(key, granted)) is not None:
                return known
            if len(request.query) <= INLINE_CHARACTERS:
                matters, prepared = self._prepare(request.query, request.operation_name, labels, granted)
            else:
                matters, prepared = await asyncio.to_thread(self._prepare, request.query, request.operation_name, labels, granted)
            self._cache.put(key, matters, granted, prepared, len(request.query))
            return prepared

    async def coerced(self, prepared: Prepared, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables checked against the public schema, with defaults filled in (GraphQL specification §6.1.2).

        Raises `RefusedError`. Large ones are coerced in a thread, which takes turns with the event loop.
        """
        if is_large(given):
            return await asyncio.to_thread(self._coerced, prepared, given)
        return self._coerced(prepared, given)

    def _coerced(self, prepared: Prepared, given: Mapping[str, Any]) -> dict[str, Any]:
        if (coerced := prepared.coercion(given)) is not None:
            return coerced
        values = get_variable_values(
            self._schema, prepared.variables, dict(given), max_errors=MAX_REPORTED_ERRORS, hide_suggestions=not self._introspection
        )
        if isinstance(values, list):
            raise RefusedError(BadUserInput, values)
        return values.coerced

    def _prepare(self, text: str, operation_name: str | None, labels: frozenset[str], granted: Granted) -> tuple[Granted, Prepared]:
        """Also what of the grants the operation depends on."""
        check_text(text, self._limits)
        document = self._parse(text)
        check_document(document, self._limits)
        self._validate(document)
        node = chosen_operation(document, operation_name)
        supergraph = self._planner.supergraph
        normalized = self._planner.normalized(document, operation_name)
        operation, denied = normalized.operation, self._policy.denied(granted)
        refused = refused_fields(operation, supergraph.root_types[operation.kind], denied)
        if any(one.always for one in refused):
            plan = Plan(operation, (), denied=denied)  # never runs
        else:
            plan = self._planner.plan_for(normalized, denied, labels)
            self._executor.prepare(plan)
        audited = audited_fields(operation, supergraph, denied)
        definitions = tuple(node.variable_definitions or ())
        prepared = Prepared(
            operation.kind,
            definitions,
            self._coercions.of(definitions),
            plan,
            refused,
            audited,
            per_caller=per_caller(operation, supergraph),
            resumable=resumable(operation, self._schema),
            text=text,
        )
        return deciding(operation, supergraph), prepared

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self._limits.tokens, allow_empty_selection_sets=False)
        except GraphQLError as error:
            raise RefusedError(GraphQLParseFailed, [error]) from None

    def _validate(self, document: DocumentNode) -> None:
        hidden = not self._introspection
        if hidden and (errors := validate(self._schema, document, [NoSchemaIntrospectionCustomRule], MAX_REPORTED_ERRORS)):
            raise RefusedError(IntrospectionDisabled, errors[:1])
        if errors := validate(
            self._schema, document, RULES, max_errors=MAX_REPORTED_ERRORS, hide_suggestions=hidden, allow_empty_selection_sets=False
        ):
            raise RefusedError(GraphQLValidationFailed, errors)


@dataclass(frozen=True, slots=True)
class _Known:
    """A document, and its variants by what was granted of all that makes a difference to it."""

    deciding: Granted
    characters: int
    variants: dict[Granted, Prepared] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        return self.characters * len(self.variants)


class DocumentCache:
    """The documents used last; bounded by the number of their plans, and by the text that they came from."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._plans = self._characters = 0
        self._known: OrderedDict[Key, _Known] = OrderedDict()

    def get(self, key: Key, granted: Granted) -> Prepared | None:
        found = self._known.get(key)
        if found is None:
            return None
        self._known.move_to_end(key)
        return found.variants.get(found.deciding & granted)

    def put(self, key: Key, deciding: Granted, granted: Granted, prepared: Prepared, characters: int) -> None:
        known = self._known.setdefault(key, _Known(deciding, characters))
        self._count(known, -1)
        if len(known.variants) >= min(MAX_VARIANTS, self._entries):
            known.variants.clear()
        known.variants[deciding & granted] = prepared
        self._count(known, 1)
        while self._plans > self._entries or self._characters > MAX_CACHED_CHARACTERS:
            _, dropped = self._known.popitem(last=False)
            self._count(dropped, -1)

    def _count(self, known: _Known, sign: int) -> None:
        self._plans += sign * len(known.variants)
        self._characters += sign * known.cost


def resumable(operation: Operation, schema: GraphQLSchema) -> bool:
    """Whether its root field takes a place to begin from."""
    root = schema.subscription_type
    if operation.kind is not OperationKind.SUBSCRIPTION or root is None:
        return False
    fields = [root.fields[one.name] for one in operation.selections if isinstance(one, Field) and one.name in root.fields]
    return bool(fields) and not any(RESUMING.isdisjoint(field.args) for field in fields)


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
