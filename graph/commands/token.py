"""`citygraph token`: an access token of the demo's own issuer."""

from collections.abc import Mapping, Sequence

from graph.auth.claims import ROLES
from graph.auth.demo_issuer import open_issuer
from graph.config import ConfigError, load_settings


def run(flags: Mapping[str, object], *, roles: Sequence[str], tenant: str | None, subject: str, ttl: int) -> None:
    settings = load_settings(None, flags)
    if unknown := sorted(set(roles) - ROLES):
        raise ConfigError(f"--role: there is no role {unknown[0]!r}; the roles are {', '.join(sorted(ROLES))}")
    if ttl > settings.max_token_lifetime_s:
        raise ConfigError(f"--ttl: {ttl} s is more than the {settings.max_token_lifetime_s} s that a server accepts")
    issuer = open_issuer(settings.data_dir / "issuer.json", f"http://127.0.0.1:{settings.port}")
    print(
        issuer.sign(
            subject=subject,
            tenant=tenant or settings.city_id,
            roles=sorted(set(roles)),
            audience=settings.keycloak_audience,
            lifetime=ttl,
        )
    )
