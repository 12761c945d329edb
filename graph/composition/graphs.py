"""Names of subgraphs as values of the enum `join__Graph`: unique, and legal in GraphQL."""

import re
from collections import Counter
from collections.abc import Iterable


def graph_values(names: Iterable[str]) -> dict[str, str]:
    """`my-shop` becomes `MY_SHOP`; names that would become one value get a number, in the order of the names."""
    ordered = sorted(names)
    wanted = {name: _value(name) for name in ordered}
    clashes = Counter(wanted.values())
    taken: Counter[str] = Counter()
    values: dict[str, str] = {}
    for name in ordered:
        value = wanted[name]
        if clashes[value] > 1:
            taken[value] += 1
            value = f"{value}_{taken[value]}"
        values[name] = value
    return values


def _value(name: str) -> str:
    value = re.sub(r"[^0-9A-Z_]", "_", name.upper())
    value = f"_{value}" if value[0].isdigit() else value
    # Numbers at the end tell clashing names apart, so a name that brings one is closed with an underscore.
    return f"{value}_" if re.search(r"_\d+$", value) else value
