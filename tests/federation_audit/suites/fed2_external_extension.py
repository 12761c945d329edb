"""fed2-external-extension: the same as `fed1-external-extends`, written with `extend type` under federation 2."""

from tests.federation_audit.suites.fed1_external_extends import behaviour

__all__ = ["behaviour"]
