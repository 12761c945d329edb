"""Reaches a subgraph that lives in this process: Python objects in, Python objects out, no JSON and no validation.

Plans are valid by construction, so a document is parsed once and run by graphql-core as it is.
"""

import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
    get_named_type,
    is_specified_scalar_type,
    parse,
    type_from_ast,
)
from graphql.execution import Executor as Operation
from graphql.execution import create_source_event_stream

from graph.contracts import UNCHANGED, RequestContext, SubgraphRequest, SubgraphResponse
from graph.errors import BadUserInput, CityGraphError, InternalError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """`copied` are the variables that resolvers would get as the gateway has them: graphql-core copies what it coerces, but it hands
    the values of custom scalars on, and resolvers may keep those or change them, as Strawberry changes representations."""

    document: DocumentNode
    copied: frozenset[str]

    def variables(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _unshared(value) if name in self.copied else value for name, value in given.items()}


class InProcessTransport:
    """`context_factory` makes the GraphQL context of the subgraph's resolvers from the request's."""

    def __init__(
        self, schema: GraphQLSchema, context_factory: Callable[[RequestContext], object], *, parsed_documents: int = 1_000
    ) -> None:
        self._schema = schema
        self._context_factory = context_factory
        self._parsed: OrderedDict[str, _Parsed] = OrderedDict()
        self._size = parsed_documents

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        parsed = self._parse(request.document)
        started = execute(
            self._schema,
            parsed.document,
            context_value=self._context_factory(context),
            variable_values=parsed.variables(request.variables),
            operation_name=request.operation_name,
        )
        result: ExecutionResult = await started if isawaitable(started) else started
        errors = [_error(error, context) for error in result.errors or ()]
        return SubgraphResponse(result.data, errors, result.extensions or {})

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncGenerator[SubgraphResponse, None]:
        """Each event is resolved with loaders of its own: what was loaded for the one before may have changed."""
        parsed = self._parse(request.document)
        operation = Operation.build(
            self._schema,
            parsed.document,
            context_value=self._context_factory(context),
            raw_variable_values=parsed.variables(request.variables),
            operation_name=request.operation_name,
        )
        if isinstance(operation, list):
            raise _failure(operation[0], context)
        started = create_source_event_stream(operation)
        source = await started if isawaitable(started) else started
        if isinstance(source, ExecutionResult):
            raise _failure((source.errors or [GraphQLError("no event stream")])[0], context)
        events = cast(AsyncGenerator[object, None], aiter(source))
        try:
            async for event in events:
                now = replace(context, loaders={})
                resolved = execute(
                    self._schema,
                    parsed.document,
                    root_value=event,
                    context_value=self._context_factory(now),
                    variable_values=parsed.variables(request.variables),
                    operation_name=request.operation_name,
                )
                result: ExecutionResult = await resolved if isawaitable(resolved) else resolved
                yield SubgraphResponse(result.data, [_error(error, now) for error in result.errors or ()], result.extensions or {})
        except CityGraphError:
            raise
        except Exception as error:
            raise _failure(error, context) from error
        finally:
            await events.aclose()

    def caller(self, context: RequestContext) -> Hashable:
        """Fields that tell callers of one tenant apart say so in the schema (`@perCaller`)."""
        return context.principal.tenant

    async def close(self) -> None:
        self._parsed.clear()

    def _parse(self, text: str) -> _Parsed:
        parsed = self._parsed.get(text)
        if parsed is None:
            document = parse(text, no_location=True)
            parsed = self._parsed[text] = _Parsed(document, frozenset(_handed_on(document, self._schema)))
            if len(self._parsed) > self._size:
                self._parsed.popitem(last=False)
        else:
            self._parsed.move_to_end(text)
        return parsed


def _handed_on(document: DocumentNode, schema: GraphQLSchema) -> Iterator[str]:
    """The variables whose types hold custom scalars."""
    for operation in document.definitions:
        for one in operation.variable_definitions or () if isinstance(operation, OperationDefinitionNode) else ():
            if _holds_custom_scalars(get_named_type(type_from_ast(schema, one.type)), set()):
                yield one.variable.name.value


def _holds_custom_scalars(named: object, seen: set[str]) -> bool:
    if isinstance(named, GraphQLInputObjectType) and named.name not in seen:
        seen.add(named.name)
        return any(_holds_custom_scalars(get_named_type(one.type), seen) for one in named.fields.values())
    return isinstance(named, GraphQLScalarType) and not is_specified_scalar_type(named) and not named.extensions.get(UNCHANGED)


def _unshared(value: Any) -> Any:
    """A copy of a JSON value."""
    if type(value) is dict:
        return {key: _unshared(item) for key, item in value.items()}
    if type(value) is list:
        return [_unshared(item) for item in value]
    return value


def _failure(error: Exception, context: RequestContext) -> CityGraphError:
    """Why a stream did not begin, or broke off."""
    cause = _cause(error) if isinstance(error, GraphQLError) else error
    if isinstance(cause, CityGraphError):
        return cause
    if isinstance(cause, GraphQLError):
        return BadUserInput(cause.message)
    logger.error("request %s: an event stream failed", context.request_id, exc_info=cause)
    return InternalError(InternalError.title)


def _error(error: GraphQLError, context: RequestContext) -> dict[str, Any]:
    cause = _cause(error)
    told: dict[str, Any]
    if isinstance(cause, CityGraphError):
        told = {"message": cause.detail, "extensions": {**cause.extensions, "code": cause.code}}
    elif isinstance(cause, GraphQLError):
        code = BadUserInput.code if cause.path is None or _is_about_input(cause) else InternalError.code
        told = {"message": error.message, "extensions": {"code": code, **(cause.extensions or {})}}
    else:
        logger.error("request %s failed at %s", context.request_id, error.path, exc_info=cause)
        told = {"message": InternalError.title, "extensions": {"code": InternalError.code}}
    if error.path is not None:
        told["path"] = list(error.path)
    return told


def _cause(error: GraphQLError) -> Exception:
    """What was raised first: graphql-core wraps an error once for each layer that adds a location."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_about_input(error: GraphQLError) -> bool:
    """Whether a literal in the document could not be read: such errors point at an argument."""
    return any(node.kind.endswith("value") or node.kind == "argument" for node in error.nodes or ())
