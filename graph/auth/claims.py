"""From a token's claims to a principal: which roles, scopes and tenant they name.

Identity providers put roles in different places, so the places are settings; `{audience}` in one stands for this API's own name,
so that roles granted for another client do not count here. Whether the claims may be believed was settled in `tokens`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graph.contracts import Principal
from graph.errors import Unauthenticated
from graph.rights import EVERY_SCOPE, ROLE_SCOPES, foreign_scopes

ROLES = frozenset(ROLE_SCOPES)
MAX_ROLES = 200


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where roles and tenant stand; a role claim's path has a name for each level, separated by dots before it was split."""

    roles: tuple[tuple[str, ...], ...]
    tenant: str
    default_tenant: str | None = None

    @classmethod
    def of(cls, roles: tuple[str, ...], audience: str, tenant: str, default_tenant: str | None) -> "ClaimNames":
        paths = tuple(tuple(step.replace("{audience}", audience) for step in path.split(".")) for path in roles)
        return cls(paths, tenant, default_tenant)


def principal_of(claims: Mapping[str, Any], names: ClaimNames) -> Principal:
    """Raises `Unauthenticated` where the token names no tenant and there is no default one."""
    tenant = claims.get(names.tenant) or names.default_tenant
    if not isinstance(tenant, str):
        raise Unauthenticated(f"the access token names no tenant: its claim {names.tenant!r} is missing or no string")
    name = claims.get("name")
    return Principal(
        subject=claims["sub"],
        tenant=tenant,
        roles=roles_in(claims, names) or frozenset(),
        scopes=scopes_in(claims) or frozenset(),
        name=name if isinstance(name, str) else None,
        expires_at=claims.get("exp"),
    )


def roles_in(claims: Mapping[str, Any], names: ClaimNames) -> frozenset[str] | None:
    """None where they have none of the places for roles."""
    found = [roles for path in names.roles if (roles := _strings_at(claims, path)) is not None]
    return frozenset().union(*found) if found else None


def scopes_in(claims: Mapping[str, Any]) -> frozenset[str] | None:
    scope = claims.get("scope")
    return foreign_scopes(scope.split()[:MAX_ROLES]) if isinstance(scope, str) else None


def anonymous(tenant: str) -> Principal:
    """Whoever calls a server that was told to ask for no token: nobody, with every right."""
    return Principal("anonymous", tenant, roles=ROLES, scopes=frozenset({EVERY_SCOPE}))


def _strings_at(claims: Mapping[str, Any], path: tuple[str, ...]) -> list[str] | None:
    value: Any = claims
    for step in path:
        value = value.get(step) if isinstance(value, dict) or value is claims else None
    return [item for item in value[:MAX_ROLES] if isinstance(item, str)] if isinstance(value, list) else None
