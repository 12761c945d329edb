"""Access tokens for whoever takes part, signed as a city's identity provider signs them."""

from collections.abc import Callable
from pathlib import Path

from graph.auth.demo_issuer import open_issuer

AUDIENCE = "dt-dth-api"
CITY = "FI-HELSINKI"
READER = ("dt_viewer", "dth_viewer")
LIFETIME = 7_200


def signer(issuer: Path, roles: tuple[str, ...] = READER) -> Callable[[str], str]:
    """Gives somebody of that name a token of the issuer that is kept in the file."""
    opened = open_issuer(issuer, "")
    return lambda subject: opened.sign(subject=subject, tenant=CITY, roles=roles, audience=AUDIENCE, lifetime=LIFETIME)
