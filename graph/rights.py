"""The role matrix: which scopes each role brings (ICD §7.2, and the project's additions).

A field of a subgraph names the scopes that it needs by `@requiresScopes`; who may have them is said here alone. A token's own
`scope` claim cannot bring one of these: clients ask for scopes, roles are given by the city.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

EVERY_SCOPE = "*"
"""The scope that stands for every right there is. Only a server that asks for no token gives it; no token brings it."""


class Scope(StrEnum):
    """What a caller may do; the names that stand in `@requiresScopes`."""

    CITIES_READ = "cities:read"
    OBJECTS_READ = "objects:read"
    OBJECTS_WRITE = "objects:write"
    TELEMETRY_READ = "telemetry:read"
    TELEMETRY_INGEST = "telemetry:ingest"
    TELEMETRY_SIMULATE = "telemetry:simulate"
    SCENARIOS_READ = "scenarios:read"
    SCENARIOS_WRITE = "scenarios:write"
    MODELS_READ = "models:read"
    MODELS_WRITE = "models:write"
    COLLABORATION_READ = "collaboration:read"
    COLLABORATION_WRITE = "collaboration:write"
    LIVE_OPEN = "live:open"
    COMPLIANCE_READ = "compliance:read"
    BACKUPS_MANAGE = "backups:manage"
    AUDIT_READ = "audit:read"
    FEDERATION_READ = "federation:read"


_S = Scope

ROLE_SCOPES: Mapping[str, frozenset[Scope]] = {
    "dt_viewer": frozenset({_S.CITIES_READ, _S.OBJECTS_READ, _S.TELEMETRY_READ, _S.SCENARIOS_READ}),
    "dt_simulator": frozenset({_S.CITIES_READ, _S.TELEMETRY_SIMULATE, _S.SCENARIOS_WRITE}),
    "dt_ingestor": frozenset({_S.CITIES_READ, _S.TELEMETRY_INGEST}),
    "city_editor": frozenset({_S.CITIES_READ, _S.OBJECTS_WRITE}),
    "dth_viewer": frozenset({_S.CITIES_READ, _S.MODELS_READ, _S.COLLABORATION_READ}),
    "dth_editor": frozenset({_S.CITIES_READ, _S.MODELS_WRITE, _S.COLLABORATION_WRITE, _S.LIVE_OPEN}),
    "compliance_reader": frozenset({_S.CITIES_READ, _S.COMPLIANCE_READ}),
    "admin": frozenset({_S.CITIES_READ, _S.BACKUPS_MANAGE, _S.AUDIT_READ, _S.FEDERATION_READ}),
}


SENSITIVE: frozenset[Scope] = frozenset({_S.COMPLIANCE_READ, _S.BACKUPS_MANAGE, _S.AUDIT_READ})
"""What is read by one of these goes into the audit log (REQUIREMENTS, WIA 10.2)."""

_OF_ROLES = frozenset(scope.value for scope in Scope) | {EVERY_SCOPE}


def foreign_scopes(claimed: Collection[str]) -> frozenset[str]:
    """A token's own scopes, without those that roles alone bring: they may mean something to a subgraph of somebody else's."""
    return frozenset(claimed) - _OF_ROLES


def any_of(*scopes: Scope) -> list[list[str]]:
    """The argument of `@requiresScopes` where each of these alone will do."""
    return [[scope.value] for scope in scopes]
