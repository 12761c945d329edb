"""What the slice of cities speaks of: no GraphQL, no SQL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """`id` e.g. `FI-HELSINKI`; `country` ISO 3166-1 alpha-2 and `timezone` of the IANA database, where known."""

    id: str
    name: str
    country: str | None = None
    timezone: str | None = None
