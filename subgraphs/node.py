"""The interface `Node`, which each slice prints that has something with a globally unique identifier."""

import strawberry


@strawberry.interface(
    description="""Anything with a globally unique identifier.

Identifiers read `<city>/<kind>/<uuid>`, e.g. `FI-HELSINKI/object/2f9c2a4d-7c14-4c0e-9f3d-4b1b3a2c9f1a`; the kinds are
`object`, `scenario`, `model`, `version`, `annotation`, `note`, `mention`, `report`, `dataset`, `backup` and `audit`. A city's own identifier
is `<city>`. Where a thing came from a source system, its UUID is version 5 of tenant, source and source identifier, so it is the same in every import.
As input a bare UUID means this gateway's own city, and the kind that the argument asks for."""  # noqa: E501 (the contract's own lines)
)
class Node:
    id: strawberry.ID
