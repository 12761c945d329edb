"""Saves requests without adding a level: a request that nobody waits for joins a later one to the same subgraph."""

from collections.abc import Iterable

from graph.planner.fetch_graph.steps import OutputTree, Step


def delay_to_merge(steps: Iterable[Step]) -> list[Step]:
    """The steps in topological order, each entity step moved into the next one of its subgraph where no step gets later by that."""
    ordered = sorted(steps, key=lambda s: (s.level, s.subgraph))
    last = max((s.level for s in ordered), default=0)
    for step in ordered[::-1]:
        if step.root is not None or step.contexts:
            continue
        dependents = [s for s in ordered if step in s.depends_on]
        latest = min((s.level for s in dependents), default=last + 1) - 1
        later = [s for s in ordered if _takes_in(s, step) and step.level < s.level <= latest]
        if later:
            _move_into(later[0], step, dependents)
            ordered.remove(step)
    return ordered


def _takes_in(target: Step, step: Step) -> bool:
    return target.subgraph == step.subgraph and target.root is None and not target.contexts and target.deferral_only == step.deferral_only


def _move_into(target: Step, step: Step, dependents: Iterable[Step]) -> None:
    for call in step.calls:
        here = target.places.setdefault(call.segments, [])
        same = next((c for c in here if c.representations == call.representations), None)
        if same is None:
            here.append(call)
        else:
            _merge_trees(same.tree, call.tree)
    target.depends_on |= step.depends_on
    for dependent in dependents:
        dependent.depends_on.discard(step)
        dependent.depends_on.add(target)
    if step.alternatives is None:
        target.alternatives = None
    else:
        for conditions in step.alternatives:
            target.need(conditions)


def _merge_trees(target: OutputTree, other: OutputTree) -> None:
    for key, entry in other.fields.items():
        known = target.fields.setdefault(key, entry)
        if known is not entry and known.tree is not None and entry.tree is not None:
            _merge_trees(known.tree, entry.tree)
    for name, tree in other.fragments.items():
        known_tree = target.fragments.setdefault(name, tree)
        if known_tree is not tree:
            _merge_trees(known_tree, tree)
