"""What a token's claims make of its bearer: rights come from roles, and no claim of a client's choosing brings one."""

import pytest

from graph.auth.claims import ClaimNames, anonymous, principal_of
from graph.rights import EVERY_SCOPE, ROLE_SCOPES, Scope

NAMES = ClaimNames.of(("realm_access.roles", "resource_access.{audience}.roles"), "citygraph-api", "tenant", None)


def _claims(**more: object) -> dict[str, object]:
    return {"sub": "ada", "tenant": "FI-HELSINKI", **more}


@pytest.mark.parametrize("name", [*(scope.value for scope in Scope), EVERY_SCOPE])
def test_token_when_its_scope_claim_names_a_right_of_roles_then_that_is_dropped(name: str) -> None:
    principal = principal_of(_claims(scope=f"openid {name} orders:read"), NAMES)

    assert principal.scopes == {"openid", "orders:read"}


def test_token_when_its_roles_stand_in_two_places_then_all_count_but_another_clients_do_not() -> None:
    claims = _claims(
        realm_access={"roles": ["dt_viewer", 7]},
        resource_access={"citygraph-api": {"roles": ["admin"]}, "other": {"roles": ["dth_editor"]}},
    )

    principal = principal_of(claims, NAMES)

    assert principal.roles == {"dt_viewer", "admin"}
    assert principal.authenticated


def test_server_without_tokens_when_asked_who_calls_then_it_is_somebody_with_every_right() -> None:
    assert anonymous("T").scopes == {EVERY_SCOPE}
    assert anonymous("T").roles == ROLE_SCOPES.keys()
