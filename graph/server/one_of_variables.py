"""A rule of the specification that graphql-core 3.3 misses in one place: a variable inside a `@oneOf` input must not be nullable
(GraphQL specification §5.8.5). Its own rule does not see the input where the position around it is non-null.
"""

from typing import Any

from graphql import (
    GraphQLError,
    NonNullTypeNode,
    OperationDefinitionNode,
    ValidationRule,
    is_input_object_type,
    is_non_null_type,
)


class OneOfVariablesRule(ValidationRule):
    """Refuses nullable variables as fields of a `@oneOf` input in a non-null position."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        definitions = {definition.variable.name.value: definition for definition in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            name = usage.node.name.value
            around = usage.parent_type
            inside = around.of_type if is_non_null_type(around) else None
            definition = definitions.get(name)
            if not is_input_object_type(inside) or not inside.is_one_of or definition is None:
                continue
            if not isinstance(definition.type, NonNullTypeNode):
                message = f"Variable '${name}' must be non-nullable to be used for OneOf Input Object '{inside}'."
                self.report_error(GraphQLError(message, [definition, usage.node]))
