"""Plans for people and tools: as text, and as JSON with the node kinds that the field knows.

The plan itself is a graph; here it is nested into sequences and parallels. Where a graph has no exact nesting, a fetch is shown after the
last one that it waits for.
"""

from collections.abc import Iterable
from typing import Any

from graph.planner.normalize.operation import Condition
from graph.planner.plan import EntityCall, Fetch, InputField, PathSegment, Plan, Representation

Node = dict[str, Any]


def plan_to_json(plan: Plan) -> Node:
    """The plan's outermost node; an empty sequence where nothing has to be fetched."""
    return nested(plan) or {"kind": "Sequence", "nodes": []}


def nested(plan: Plan) -> Node | None:
    """The fetches as Defer, Sequence, Parallel, Flatten, Condition and Fetch nodes."""
    nodes = [_fetch(fetch) for fetch in plan.fetches]
    needs = [set(f.depends_on) for f in plan.fetches]
    later = {i: found for i, fetch in enumerate(plan.fetches) if (found := _deferral(fetch)) is not None}
    primary = _nest(set(range(len(nodes))) - set(later), needs, nodes)
    if not later:
        return primary
    deferred = []
    for one in plan.operation.deferrals:
        members = {i for i, condition in later.items() if condition == one.condition}
        if members:
            deferred.append({"label": one.label, "node": _nest(members, needs, nodes)})
    return {"kind": "Defer", "primary": {"node": primary}, "deferred": deferred}


def _deferral(fetch: Fetch) -> Condition | None:
    """The `@defer` that a fetch waits for; None where something of it is wanted at once."""
    found = [max((c for c in conditions if c.is_deferral), default=None) for conditions in fetch.conditions]
    return found[0] if found and None not in found else None


def _nest(members: set[int], needs: list[set[int]], nodes: list[Node]) -> Node | None:
    """Splits into independent parts where that is possible, else takes off what can start now."""
    if not members:
        return None
    parts = _components(members, needs)
    if len(parts) > 1:
        return {"kind": "Parallel", "nodes": [_nest(part, needs, nodes) for part in parts]}
    first = {i for i in members if not needs[i] & members}
    rest = members - first
    head: Node = nodes[min(first)] if len(first) == 1 else {"kind": "Parallel", "nodes": [nodes[i] for i in sorted(first)]}
    tail = _nest(rest, needs, nodes)
    if tail is None:
        return head
    return {"kind": "Sequence", "nodes": [head, *(tail["nodes"] if tail["kind"] == "Sequence" else [tail])]}


def _components(members: set[int], needs: list[set[int]]) -> list[set[int]]:
    left, parts = set(members), []
    while left:
        part, todo = set(), [min(left)]
        while todo:
            i = todo.pop()
            if i not in part:
                part.add(i)
                todo += [j for j in left if j not in part and (j in needs[i] or i in needs[j])]
        parts.append(part)
        left -= part
    return parts


def _fetch(fetch: Fetch) -> Node:
    node: Node = {"kind": "Fetch", "subgraph": fetch.subgraph, "operationKind": fetch.kind.value, "operation": fetch.document}
    if fetch.variables:
        node["variables"] = list(fetch.variables)
    if fetch.calls:
        node["representations"] = [_call(call) for call in fetch.calls]
        paths = list(dict.fromkeys(_path(p) for call in fetch.calls for p in call.paths))
        node = {"kind": "Flatten", "paths": paths, "node": node} if len(paths) > 1 else {"kind": "Flatten", "path": paths[0], "node": node}
    asked = [[c for c in conditions if not c.is_deferral] for conditions in fetch.conditions]
    if asked and all(asked):
        node = {"kind": "Condition", "if": " or ".join(map(_all, asked)), "node": node}
    return node


def _call(call: EntityCall) -> Node:
    return {"alias": call.alias, "variable": call.variable, "of": [_representation(r) for r in call.representations]}


def _representation(representation: Representation) -> str:
    on = representation.typename or "|".join(sorted(representation.types or ())) or "?"
    as_ = "" if representation.types is None or representation.types == {on} else f" for {'|'.join(sorted(representation.types))}"
    return f"{on}{as_} {{ {_inputs(representation.fields)} }}"


def _inputs(fields: Iterable[InputField]) -> str:
    return " ".join(f.name + (f" {{ {_inputs(f.fields)} }}" if f.fields else "") for f in fields)


def _path(segments: tuple[PathSegment, ...]) -> str:
    return ".".join(s.key + (f"|[{','.join(sorted(s.types))}]" if s.types else "") for s in segments)


def _all(conditions: Iterable[Condition]) -> str:
    return " and ".join(("" if c.expected else "not ") + f"${c.variable}" for c in sorted(conditions))


def plan_to_text(plan: Plan) -> str:
    """The plan as an indented outline."""
    node = nested(plan)
    return "QueryPlan {\n" + ("\n".join(_lines(node, 1)) + "\n" if node else "") + "}\n"


def _lines(node: Node, depth: int) -> list[str]:
    pad = "  " * depth
    match node["kind"]:
        case "Fetch":
            lines = [f'{pad}Fetch(subgraph: "{node["subgraph"]}") {{', f"{pad}  {node['operation']}"]
            lines += [f"{pad}  ${c['variable']} ← {r}" for c in node.get("representations", ()) for r in c["of"]]
            return [*lines, f"{pad}}}"]
        case "Flatten":
            paths = node.get("paths") or [node["path"]]
            return [f"{pad}Flatten({', '.join(paths)}) {{", *_lines(node["node"], depth + 1), f"{pad}}}"]
        case "Condition":
            return [f"{pad}Condition(if: {node['if']}) {{", *_lines(node["node"], depth + 1), f"{pad}}}"]
        case "Defer":
            lines = [
                f"{pad}Defer {{",
                f"{pad}  Primary {{",
                *(_lines(node["primary"]["node"], depth + 2) if node["primary"]["node"] else []),
            ]
            for one in node["deferred"]:
                lines += [f"{pad}  }}", f"{pad}  Deferred({one['label'] or ''}) {{", *_lines(one["node"], depth + 2)]
            return [*lines, f"{pad}  }}", f"{pad}}}"]
        case kind:
            return [f"{pad}{kind} {{", *(line for n in node["nodes"] for line in _lines(n, depth + 1)), f"{pad}}}"]
