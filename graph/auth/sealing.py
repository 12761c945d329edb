"""Writing that only who has a secret can read, and nobody else can have written: for what processes keep or tell each other in Redis.

Redis knows a secret by its hash; the key is made of the secret in another way, so that the hash opens nothing.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet


def known_by(secret: str) -> str:
    """The name under which a secret can be looked up."""
    return hashlib.sha256(_bytes(secret)).hexdigest()


def sealed_by(secret: str, purpose: str) -> Fernet:
    """What is sealed for one purpose cannot be opened for another."""
    return Fernet(urlsafe_b64encode(hmac.digest(_bytes(secret), f"citygraph: {purpose}".encode(), "sha256")))


def _bytes(secret: str) -> bytes:
    return secret.encode(errors="surrogatepass")
