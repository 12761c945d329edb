"""`citygraph rights`: which role may use which root field, as the gateway decides it; `docs/rights.md` has its output.

The table is asked of the policy, role by role, so it cannot say anything else than what is enforced.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from graph.app import city_supergraph
from graph.commands.terminal import read_text, write_result
from graph.config import ConfigError
from graph.contracts import Principal, RequestContext
from graph.rights import ROLE_SCOPES
from graph.server.policy import Policy
from graph.supergraph import Supergraph

BEGIN, END = "<!-- citygraph rights -->", "<!-- end -->"


def run(page: Path | None) -> None:
    """Prints the table, or writes it between the marks of a page. Raises `ConfigError`."""
    table = "\n".join(rows(city_supergraph())) + "\n"
    if page is None:
        write_result(table, None)
        return
    text = read_text(page, "the page")
    if not re.search(f"{re.escape(BEGIN)}.*{re.escape(END)}", text, re.DOTALL):
        raise ConfigError(f"{page} has no place for the table: expected {BEGIN} … {END}")
    head, _, rest = text.partition(BEGIN)
    write_result(f"{head}{BEGIN}\n\n{table}\n{END}{rest.partition(END)[2]}", page)


def rows(supergraph: Supergraph) -> Iterator[str]:
    """A Markdown table: the root fields in their order by name, a column for each role."""
    roles = list(ROLE_SCOPES)
    allowed = matrix(supergraph, roles)
    yield f"| field | {' | '.join(f'`{role}`' for role in roles)} |"
    yield "|---" * (len(roles) + 1) + "|"
    for coordinate in coordinates(supergraph):
        cells = ("yes" if coordinate in allowed[role] else "" for role in roles)
        yield f"| `{coordinate}` | {' | '.join(cells)} |"


def matrix(supergraph: Supergraph, roles: Iterable[str]) -> dict[str, frozenset[str]]:
    """The coordinates of the root fields that a caller with one role alone may use."""
    policy = Policy(supergraph.demands)
    allowed: dict[str, frozenset[str]] = {}
    for role in roles:
        caller = RequestContext(Principal("somebody", "a tenant", frozenset({role})), "rights")
        denied = {".".join(at) for at in policy.denied(policy.granted(caller)).fields}
        allowed[role] = frozenset(coordinates(supergraph)) - denied
    return allowed


def coordinates(supergraph: Supergraph) -> list[str]:
    """Every root field of the public API: queries, mutations, subscriptions, each by name."""
    schema = supergraph.api_schema
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    return [f"{root.name}.{field}" for root in roots if root is not None for field in sorted(root.fields)]
