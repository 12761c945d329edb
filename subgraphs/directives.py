"""What a field says of itself beyond its type: its semantic identifier (ICD §6.1), and whether it may name a person (ICD §6.3).

Both are composed into the public schema, which shows them.
"""

import strawberry
from strawberry.schema_directive import Location

SPECIFICATION = "https://citygraph.dev/spec/v1.0"


@strawberry.federation.schema_directive(locations=[Location.FIELD_DEFINITION], name="semanticId", compose=True, import_url=SPECIFICATION)
class SemanticId:
    """The URN under which the field's meaning is known, e.g. `urn:data4circ:dt-dth:telemetry:unit`."""

    urn: str


@strawberry.federation.schema_directive(locations=[Location.FIELD_DEFINITION], name="personalData", compose=True, import_url=SPECIFICATION)
class PersonalData:
    """The field may hold personal data; `pseudonymous` where it holds a person's identifier and nothing else."""

    pseudonymous: bool = False


@strawberry.federation.schema_directive(locations=[Location.FIELD_DEFINITION], name="perCaller", compose=True, import_url=SPECIFICATION)
class PerCaller:
    """What the field answers depends on who asks, and not on their rights alone: no two callers may share an answer."""


def semantic(name: str) -> SemanticId:
    """`semantic("telemetry:unit")`: a field of the DATA4CIRC namespace."""
    return SemanticId(urn=f"urn:data4circ:dt-dth:{name}")
