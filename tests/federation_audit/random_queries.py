"""Random valid queries of a schema: fields, arguments, aliases, fragments on every type that can apply, conditions of both outcomes.

They lean to what planners get wrong: overlapping fragments, fields under false conditions, the same field twice. The same seed gives
the same query.
"""

from collections.abc import Iterator
from random import Random

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    parse,
    validate,
)
from graphql.type import GraphQLCompositeType, GraphQLField, is_abstract_type

LITERALS = {"String": ('"USD"',), "ID": ('"u1"', '"p1"', '"p2"', '"toaster1"'), "Int": ("1", "3"), "Float": ("2.5",), "Boolean": ("true",)}
CONDITIONS = ("@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)", "@skip(if: $yes)")
VARIABLES = {"$yes": "$yes: Boolean! = true", "$no": "$no: Boolean! = false"}


def random_queries(schema: GraphQLSchema, seed: str) -> Iterator[str]:
    """Without end; what the aliases make contradictory is left out."""
    number = 0
    while True:
        number += 1
        query = _Writer(schema, Random(f"{seed} {number}")).query()
        if not validate(schema, parse(query)):
            yield query


class _Writer:
    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema, self._random = schema, random
        self._aliases = 0

    def query(self) -> str:
        root = self._schema.query_type
        assert root is not None
        body = self._selections(root, self._random.randint(1, 5))
        variables = ", ".join(definition for name, definition in VARIABLES.items() if name in body)
        return f"query({variables}) {body}" if variables else f"query {body}"

    def _selections(self, type_: GraphQLCompositeType, depth: int) -> str:
        found: list[str] = []
        if not isinstance(type_, GraphQLUnionType):
            fields = list(type_.fields.items())
            for name, definition in self._random.sample(fields, min(len(fields), self._random.randint(1, 4))):
                found.extend(self._field(name, definition, depth))
        if is_abstract_type(type_) or self._random.random() < 0.2:
            found.extend(self._fragments(type_, depth))
        if not found or self._random.random() < 0.2:
            found.append("__typename")
        self._random.shuffle(found)
        return "{ " + " ".join(found) + " }"

    def _field(self, name: str, definition: GraphQLField, depth: int) -> Iterator[str]:
        named = get_named_type(definition.type)
        alias = ""
        if self._random.random() < 0.15:
            self._aliases += 1
            alias = f"alias{self._aliases}: "
        chosen = [(n, a) for n, a in definition.args.items() if is_required_argument(a) or self._random.random() < 0.3]
        arguments = ", ".join(f"{n}: {self._literal(a.type)}" for n, a in chosen)
        text = f"{alias}{name}({arguments})" if arguments else f"{alias}{name}"
        if self._random.random() < 0.3:
            text += f" {self._random.choice(CONDITIONS)}"
        if not is_composite_type(named):
            yield text
        elif depth > 0:
            yield f"{text} {self._selections(named, depth - 1)}"

    def _fragments(self, type_: GraphQLCompositeType, depth: int) -> Iterator[str]:
        possible = self._possible(type_)
        types = (one for one in self._schema.type_map.values() if is_composite_type(one) and not one.name.startswith("__"))
        fitting = [one for one in types if self._possible(one) & possible]
        if depth > 0:
            for one in self._random.sample(fitting, min(len(fitting), self._random.randint(0, 2))):
                condition = f" {self._random.choice(CONDITIONS)}" if self._random.random() < 0.15 else ""
                yield f"... on {one.name}{condition} {self._selections(one, depth - 1)}"

    def _possible(self, type_: GraphQLCompositeType) -> set[str]:
        return {type_.name} if isinstance(type_, GraphQLObjectType) else {one.name for one in self._schema.get_possible_types(type_)}

    def _literal(self, type_: GraphQLInputType) -> str:
        match type_:
            case GraphQLNonNull():
                return self._literal(type_.of_type)
            case GraphQLList():
                return f"[{self._literal(type_.of_type)}]"
            case GraphQLEnumType():
                return str(self._random.choice(list(type_.values)))
            case GraphQLInputObjectType():
                return "{" + ", ".join(f"{name}: {self._literal(one.type)}" for name, one in type_.fields.items()) + "}"
            case _:
                return self._random.choice(LITERALS[type_.name])
