"""What lies near some shapes, nearest first, by the ellipsoid's metres: one statement for any number of shapes."""

import sqlalchemy as sa

from resolvers.stores.nearest_on_postgis import nearest_on_postgis
from resolvers.stores.nearest_on_sqlite import nearest_on_sqlite
from resolvers.stores.search import Candidates, Search

__all__ = ["Candidates", "Search", "nearest"]


def nearest(dialect: str, probes: sa.CTE, candidates: Candidates, search: Search) -> sa.Subquery:
    """`n`, `pk` and `distance` of what lies within the search's radius of each probe.

    `probes` has the columns `n` (any number), `pk` (of a row that is not its own neighbour, or null), `geometry`, and the
    bounds `west`, `south`, `east`, `north`.
    """
    if dialect == "sqlite":
        return nearest_on_sqlite(probes, candidates, search)
    return nearest_on_postgis(probes, candidates, search)
