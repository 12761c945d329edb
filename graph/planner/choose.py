"""Chooses one of each leaf's paths so that the plan is short: fewest sequential steps first, then fewest requests.

A plan's requests are the union of its paths' steps (see `paths.py`), so this is a covering problem: greedy first, then branch and
bound, within a budget. The bound is what is chosen so far; nothing that is shared is counted twice, so nothing better is cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.query_graph.paths import Path, Steps
from graph.query_graph.search import Leaf

MAX_OPEN = 200
BUDGET = 20_000
"""Partial choices that branch and bound may look at; about 20 ms. After it the best plan so far is taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`paths[i]` is the chosen option of leaf i. `optimal` is false where the budget ran out."""

    paths: tuple[Path, ...]
    optimal: bool


def choose(leaves: Sequence[Leaf], needed: Steps = frozenset()) -> Choice:
    """The choice for all leaves; `needed` are steps that are taken in any case."""
    options = [_undominated(leaf.options) for leaf in leaves]
    groups = sorted({tuple(p.steps for p in paths) for paths in options}, key=lambda g: (len(g), sorted(map(sorted, g))))
    search = _BranchAndBound(groups)
    picked, optimal = search.run(needed)
    paths = tuple(paths[picked[tuple(p.steps for p in paths)]] for paths in options)
    return Choice(paths, optimal)


def _undominated(options: Sequence[Path]) -> list[Path]:
    """The options of which none needs all that another needs, cheapest first."""
    kept: list[Path] = []
    for path in sorted(options, key=lambda p: p.cost):
        if not any(other.steps <= path.steps for other in kept):
            kept.append(path)
    return kept


Group = tuple[Steps, ...]
Cost = tuple[int, int, int]


def _cost(steps: Steps) -> Cost:
    """Sequential steps, requests; then the earlier the better."""
    return max((level for level, _ in steps), default=-1), len(steps), sum(level for level, _ in steps)


class _BranchAndBound:
    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        self.best: dict[Group, int] = {}
        self.best_cost: Cost | None = None
        self.left = BUDGET

    def run(self, needed: Steps) -> tuple[dict[Group, int], bool]:
        forced = needed.union(*(group[0] for group in self.groups if len(group) == 1))
        open_groups = [group for group in self.groups if len(group) > 1]
        self.best = {group: 0 for group in self.groups if len(group) == 1}
        steps = forced
        for group in open_groups:
            index = min(range(len(group)), key=lambda i: (_cost(steps | group[i]), i))
            self.best[group] = index
            steps |= group[index]
        self.best_cost = _cost(steps)
        if len(open_groups) > MAX_OPEN:
            return self.best, False
        self._descend(open_groups, 0, forced, dict(self.best))
        return self.best, self.left > 0

    def _descend(self, groups: list[Group], at: int, steps: Steps, picked: dict[Group, int]) -> None:
        assert self.best_cost is not None
        self.left -= 1
        if self.left <= 0 or _cost(steps) >= self.best_cost:
            return
        if at == len(groups):
            self.best, self.best_cost = dict(picked), _cost(steps)
            return
        group = groups[at]
        for index in sorted(range(len(group)), key=lambda i: (_cost(steps | group[i]), i)):
            picked[group] = index
            self._descend(groups, at + 1, steps | group[index], picked)
