"""The schema class of every slice: Strawberry's, with an `_entities` that batches and keeps one fault from spreading.

Strawberry's own takes the variables apart that it is given, knows object types only, and an unknown `__typename` costs the
whole answer. Here each representation is resolved by its type's or interface's `resolve_reference(cls, [info], <key fields>)`;
all of them are started before any is awaited, so that a data loader sees them as one batch.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import strawberry
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition

from graph.errors import BadUserInput
from subgraphs.scalars import SCALARS
from subgraphs.whole_inputs import taking_whole

MAX_REPRESENTATIONS = 100_000


class FederationSchema(strawberry.federation.Schema):
    """`types` are those that no field of the roots leads to by its declared type; of `whole_inputs` the resolvers read variables."""

    def __init__(
        self,
        query: type,
        *,
        mutation: type | None = None,
        subscription: type | None = None,
        types: Iterable[type] = (),
        whole_inputs: Iterable[str] = (),
    ) -> None:
        super().__init__(
            query=query,
            mutation=mutation,
            subscription=subscription,
            types=types,
            federation_version="2.9",
            config=StrawberryConfig(scalar_map=SCALARS),
        )
        self.executable = taking_whole(self._schema, whole_inputs) if whole_inputs else self._schema
        """What graphql-core runs for the gateway, which sends valid documents and coerced variables."""

    def entities_resolver(self, info: strawberry.Info, representations: list[FederationAny]) -> list[FederationAny]:
        """A value, an awaitable or an exception for each; graphql-core awaits them all at once, and an exception is one null."""
        if len(representations) > MAX_REPRESENTATIONS:
            raise BadUserInput(f"{len(representations):,} representations, where at most {MAX_REPRESENTATIONS:,} are taken")
        found: list[Any] = [self._entity(info, representation) for representation in representations]
        return found

    def _entity(self, info: strawberry.Info, representation: object) -> object:
        try:
            return self._resolved(info, representation)
        except Exception as error:
            # Given back, not raised: it is one entity's, and those resolved already still wait to be awaited.
            return error

    def _resolved(self, info: strawberry.Info, representation: object) -> object:
        if not isinstance(representation, Mapping):
            raise BadUserInput(f"{str(representation)[:64]!r} is no representation of an entity: expected an object")
        typename = representation.get("__typename")
        resolve = self._reference_resolver(typename)
        if resolve is None:
            raise BadUserInput(f"{str(typename)[:64]!r} is no entity of this subgraph")
        arguments: dict[str, Any] = {}
        for name, parameter in inspect.signature(resolve).parameters.items():
            if name == "info":
                arguments[name] = info
            elif name in representation:
                arguments[name] = representation[name]
            elif parameter.default is inspect.Parameter.empty:
                raise BadUserInput(f"A representation of {typename} lacks {name!r}")
        return resolve(**arguments)

    def _reference_resolver(self, typename: object) -> Callable[..., object] | None:
        known = self.schema_converter.type_map.get(typename) if isinstance(typename, str) else None
        definition = None if known is None else known.definition
        if not isinstance(definition, StrawberryObjectDefinition):
            return None
        resolver: Callable[..., object] | None = getattr(definition.origin, "resolve_reference", None)
        return resolver
