"""Answers `__schema` and `__type` from the API schema, by graphql-core; no subgraph is asked."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLNamedType,
    GraphQLSchema,
    execute_sync,
    introspection_types,
    is_input_object_type,
    parse,
    print_ast,
)

from graph.executor.faults import Faults
from graph.executor.projection.writer import INTROSPECTION, introspection_key
from graph.executor.shape import JSONObject
from graph.planner.normalize.operation import Condition, Field, Fragment, Operation, Selection


class Introspection:
    """The introspection fields of one operation. Their answer is kept where it depends on no variable."""

    def __init__(self, schema: GraphQLSchema, operation: Operation) -> None:
        self._schema = schema
        self._document = _document(operation)
        self._uses_variables = "$" in print_ast(self._document) if self._document else False
        self._known: JSONObject | None = None

    def run(self, tree: JSONObject, variables: Mapping[str, Any], faults: Faults) -> None:
        """Puts the answers into the response tree, where the projection looks for them."""
        if self._document is None:
            return
        data = self._known
        if data is None:
            _own_one_of()
            result = execute_sync(self._schema, self._document, variable_values=dict(variables))
            data = result.data or {}
            for error in result.errors or ():
                faults.add(error.message, list(error.path or ()), code="INTERNAL_SERVER_ERROR")
            if not self._uses_variables and not result.errors:
                self._known = data
        for response_key, value in data.items():
            tree[introspection_key(response_key)] = value


def _is_one_of(type_: GraphQLNamedType, _info: object) -> bool | None:
    return type_.is_one_of if is_input_object_type(type_) else None


def _own_one_of() -> None:
    """Every Strawberry schema replaces `isOneOf` of the one `__Type` that all schemas of a process share, and knows its own types only."""
    field = introspection_types["__Type"].fields["isOneOf"]  # type: ignore[attr-defined]
    field.resolve = _is_one_of


def _document(operation: Operation) -> DocumentNode | None:
    fields = [one for one in operation.selections if isinstance(one, Field) and one.name in INTROSPECTION]
    if not fields:
        return None
    body = _print(fields)
    used = set(re.findall(r"\$(\w+)", body))
    definitions = [print_ast(one) for one in operation.variables if one.variable.name.value in used]
    head = f"query({', '.join(definitions)})" if definitions else "query"
    return parse(f"{head} {body}", no_location=True)


def _print(selections: Sequence[Selection]) -> str:
    return "{ " + " ".join(map(_print_selection, selections)) + " }"


def _print_selection(selection: Selection) -> str:
    if isinstance(selection, Fragment):
        return f"... on {selection.type_condition} {_print(selection.selections)}"
    arguments = ", ".join(f"{name}: {value}" for name, value in selection.arguments)
    head = f"{selection.response_key}: {selection.name}" + (f"({arguments})" if arguments else "")
    conditions = " ".join(_print_condition(one) for one in sorted(selection.conditions) if not one.is_deferral)
    return f"{head} {conditions} {_print(selection.selections) if selection.selections else ''}"


def _print_condition(condition: Condition) -> str:
    return f"@{'include' if condition.expected else 'skip'}(if: ${condition.variable})"
