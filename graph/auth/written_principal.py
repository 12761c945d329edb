"""A principal as JSON, for what processes of this server keep or tell each other of who has been authenticated."""

from typing import Any

from graph.contracts import Principal


def write_principal(who: Principal) -> list[Any]:
    return [who.subject, who.tenant, sorted(who.roles), sorted(who.scopes), who.name, who.authenticated, who.expires_at]


def read_principal(written: Any) -> Principal:
    """Raises `TypeError` and `ValueError` for what another version has written."""
    subject, tenant, roles, scopes, name, authenticated, expires_at = written
    return Principal(subject, tenant, frozenset(roles), frozenset(scopes), name, authenticated, expires_at)
