"""Chooses one of each leaf's paths so that the plan is short: fewest sequential steps first, then fewest requests.

A plan's requests are the union of its paths' steps (see `query_graph/paths.py`), so this is a covering problem: greedy first, then branch
and bound, within a budget. The bound is what is chosen so far; nothing that is shared is counted twice, so nothing better is cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.query_graph.paths import Path, Steps, undominated
from graph.query_graph.search import Leaf

MAX_OPEN = 200
"""Leaves with a real choice that branch and bound takes on."""
BUDGET = 5_000
"""Partial choices that it may look at; some 30 ms. After that the best choice so far is taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`paths[i]` is the chosen option of leaf i. `exhaustive` is false where the budget ran out."""

    paths: tuple[Path, ...]
    exhaustive: bool


def choose(leaves: Sequence[Leaf]) -> Choice:
    """A choice for all leaves."""
    options = [undominated(leaf.options) for leaf in leaves]
    ways = [tuple(_Way.of(path) for path in paths) for paths in options]
    groups = sorted(set(ways), key=lambda group: (len(group), [way.order for way in group]))
    search = _BranchAndBound(groups)
    picked = search.run()
    return Choice(tuple(paths[picked[group]] for paths, group in zip(options, ways, strict=True)), search.left > 0)


@dataclass(frozen=True, slots=True)
class _Way:
    """What an option costs: the requests that something in it waits for, and the last, for which nothing in it waits."""

    inner: Steps
    last: tuple[int, str]

    @classmethod
    def of(cls, path: Path) -> "_Way":
        return cls(path.steps - {path.last_step}, path.last_step)

    @property
    def order(self) -> tuple[tuple[int, str], list[tuple[int, str]]]:
        return self.last, sorted(self.inner)


Group = tuple[_Way, ...]
Cost = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Needs:
    """The requests of the options picked so far."""

    inner: Steps = frozenset()
    last: Steps = frozenset()

    def add(self, way: _Way) -> "_Needs":
        return _Needs(self.inner | way.inner, self.last | {way.last})

    def cost(self) -> Cost:
        """Sequential steps, requests, and, all else equal, the earlier the better.

        A request for which nothing waits joins a later one to the same subgraph for nothing (`fetch_graph/merge.py`).
        """
        steps = self.inner | self.last
        latest: dict[str, int] = {}
        for level, subgraph in steps:
            latest[subgraph] = max(level, latest.get(subgraph, 0))
        free = sum(1 for step in self.last - self.inner if 0 < step[0] < latest[step[1]])
        return max((level for level, _ in steps), default=-1), len(steps) - free, sum(level for level, _ in steps)


class _BranchAndBound:
    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        self.best: dict[Group, int] = {}
        self.best_cost: Cost = (0, 0, 0)
        self.left = BUDGET

    def run(self) -> dict[Group, int]:
        forced = _Needs()
        for group in self.groups:
            if len(group) == 1:
                forced = forced.add(group[0])
        open_groups = [group for group in self.groups if len(group) > 1]
        self.best = {group: 0 for group in self.groups if len(group) == 1}
        needs = forced
        for group in open_groups:
            index = self._ranked(group, needs)[0]
            self.best[group] = index
            needs = needs.add(group[index])
        self.best_cost = needs.cost()
        if len(open_groups) <= MAX_OPEN:
            self._descend(open_groups, 0, forced, dict(self.best))
        else:
            self.left = 0
        return self.best

    def _ranked(self, group: Group, needs: _Needs) -> Sequence[int]:
        """The options, the one that adds least first."""
        costs = [needs.add(way).cost() for way in group]
        return sorted(range(len(group)), key=lambda i: (costs[i], i))

    def _descend(self, groups: list[Group], at: int, needs: _Needs, picked: dict[Group, int]) -> None:
        self.left -= 1
        cost = needs.cost()
        if self.left <= 0 or cost >= self.best_cost:
            return
        if at == len(groups):
            self.best, self.best_cost = dict(picked), cost
            return
        group = groups[at]
        for index in self._ranked(group, needs):
            picked[group] = index
            self._descend(groups, at + 1, needs.add(group[index]), picked)
