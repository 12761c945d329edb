"""What clients send to change models, and the enums that their types share."""

import strawberry
from strawberry import UNSET
from strawberry.types.enum import has_enum_definition

from resolvers.models.records import ModelFormat, ModelOrder, ModelType
from subgraphs.scalars import JSON, JSONPatch

__all__ = [
    "CreateModelInput",
    "DeleteModelInput",
    "ModelFormat",
    "ModelOrder",
    "ModelType",
    "PatchModelInput",
    "RestoreModelVersionInput",
    "UpdateModelInput",
]

for kind in (ModelFormat, ModelOrder, ModelType):
    strawberry.enum(kind)
# The records know no GraphQL, so the one value that needs a word gets it here.
if has_enum_definition(ModelType):
    for value in ModelType.__strawberry_definition__.values:
        value.description = "Circular value chain model."


@strawberry.input
class CreateModelInput:
    name: str
    description: str | None = UNSET
    model_type: ModelType = ModelType.CVCM
    format: ModelFormat = ModelFormat.CVCM_JSON
    content: JSON
    idempotency_key: str | None = UNSET
    city: strawberry.ID | None = UNSET


@strawberry.input
class UpdateModelInput:
    id: strawberry.ID
    if_match: str
    name: str | None = UNSET
    description: str | None = UNSET
    content: JSON | None = UNSET


@strawberry.input
class PatchModelInput:
    id: strawberry.ID
    base_version: int
    patch: JSONPatch
    rebase: bool = strawberry.field(
        default=False,
        description="Where `baseVersion` is no longer the newest: apply the patch on the newest version all the same if none of the "
        "paths it touches has changed since.",
    )


@strawberry.input
class RestoreModelVersionInput:
    id: strawberry.ID
    if_match: str
    version: int


@strawberry.input
class DeleteModelInput:
    id: strawberry.ID
    if_match: str
