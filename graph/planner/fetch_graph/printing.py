"""Prints steps as GraphQL documents and makes them the fetches of a plan."""

from collections.abc import Iterable, Sequence

from graphql import VariableDefinitionNode, VariableNode, parse_value, print_ast, visit
from graphql.language import Visitor

from graph.contracts import OperationKind
from graph.planner.fetch_graph.steps import Call, OutputTree, Step
from graph.planner.normalize.operation import Condition
from graph.planner.plan import EntityCall, Fetch, PathSegment, Representation
from graph.query_graph import QueryGraph


def to_fetches(
    steps: Sequence[Step], kind: OperationKind, variables: Sequence[VariableDefinitionNode], graph: QueryGraph, first: int = 0
) -> list[Fetch]:
    """The fetches of steps in topological order; `first` is the index that the first of them will have in the plan."""
    printer = _Printer(graph, {v.variable.name.value: v for v in variables})
    index = {step: first + i for i, step in enumerate(steps)}
    return [printer.fetch(step, kind, index) for step in steps]


class _Printer:
    def __init__(self, graph: QueryGraph, definitions: dict[str, VariableDefinitionNode]) -> None:
        self.graph = graph
        self.definitions = definitions
        self.used: set[str] = set()

    def fetch(self, step: Step, kind: OperationKind, index: dict[Step, int]) -> Fetch:
        self.used = set()
        kind = kind if step.root is not None else OperationKind.QUERY
        calls: tuple[EntityCall, ...] = ()
        parts: list[str] = []
        definitions: list[str] = []
        if step.root is not None:
            parts.append(self._selections(step.root))
        else:
            calls, bodies = self._calls(step.calls)
            definitions = [f"${call.variable}: [_Any!]!" for call in calls]
            for call, body in zip(calls, bodies, strict=True):
                alias = "" if call.alias == "_entities" else f"{call.alias}: "
                parts.append(f"{alias}_entities(representations: ${call.variable}) {{ {body} }}")
        used = [name for name in self.definitions if name in self.used]
        definitions += [_definition(self.definitions[name]) for name in used]
        head = f"{kind}({', '.join(definitions)}) " if definitions else "" if kind is OperationKind.QUERY else f"{kind} "
        return Fetch(
            subgraph=step.subgraph,
            document=f"{head}{{ {' '.join(parts)} }}",
            kind=kind,
            variables=tuple(used),
            calls=calls,
            depends_on=tuple(sorted(index[s] for s in step.depends_on)),
            conditions=() if step.alternatives is None else tuple(sorted(step.alternatives, key=sorted)),
        )

    def _calls(self, calls: Iterable[Call]) -> tuple[tuple[EntityCall, ...], list[str]]:
        """Calls that ask the same of objects in the same form are one, for all their places."""
        paths: dict[tuple[str, tuple[Representation, ...]], list[tuple[PathSegment, ...]]] = {}
        for call in calls:
            form = tuple(sorted(call.representations, key=lambda r: (r.typename or "", sorted(r.types or ()))))
            paths.setdefault((self._selections(call.tree), form), []).append(call.segments)
        result = []
        for number, ((_, form), places) in enumerate(paths.items()):
            alias, variable = ("_entities", "representations") if number == 0 else (f"_entities_{number}", f"representations_{number}")
            while variable in self.definitions:
                variable = f"_{variable}"
            result.append(EntityCall(alias, variable, tuple(places), form))
        return tuple(result), [body for body, _ in paths]

    def _selections(self, tree: OutputTree) -> str:
        parts: list[str] = []
        info = self.graph.types.get(tree.node.type_name)
        known = info is not None and not self.graph.is_interface_object(tree.node)
        if info is not None and ((known and info.is_abstract) or (not tree.fields and not tree.fragments)):
            # an interface object's name is no type that a client could meet: it must not get into the response tree
            parts.append("__typename" if known else "_: __typename")
        parts.extend(
            self._field(entry.field.key, entry.field.name, entry.field.arguments, conditions, entry.tree)
            for (_, conditions), entry in tree.fields.items()
            if not (entry.field.name == "__typename" and parts[:1] == ["__typename"] and not conditions)
        )
        parts.extend(f"... on {name} {{ {self._selections(inner)} }}" for name, inner in tree.fragments.items())
        return " ".join(parts)

    def _field(
        self, key: str, name: str, arguments: tuple[tuple[str, str], ...], conditions: frozenset[Condition], tree: OutputTree | None
    ) -> str:
        text = name if key == name else f"{key}: {name}"
        if arguments:
            text += f"({', '.join(f'{n}: {v}' for n, v in arguments)})"
            for _, value in arguments:
                self.used |= variables_in(value)
        outer = ""
        for n, condition in enumerate(sorted(conditions)):
            self.used.add(condition.variable)
            directive = f"@{'include' if condition.expected else 'skip'}(if: ${condition.variable})"
            if n == 0:
                text += f" {directive}"
            else:
                outer = f"... {directive} {{ {outer}"
        if tree is not None:
            text += f" {{ {self._selections(tree)} }}"
        return f"{outer}{text}{' }' * (len(conditions) - 1)}"


def _definition(node: VariableDefinitionNode) -> str:
    default = f" = {print_ast(node.default_value)}" if node.default_value is not None else ""
    return f"${node.variable.name.value}: {print_ast(node.type)}{default}"


def variables_in(printed: str) -> set[str]:
    """The variables in a printed value."""
    if "$" not in printed:
        return set()
    names: set[str] = set()

    class Collect(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            names.add(node.name.value)

    visit(parse_value(printed, no_location=True), Collect())
    return names
