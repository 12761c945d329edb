"""Prints steps as GraphQL documents and makes them the fetches of a plan."""

from collections.abc import Iterable, Sequence

from graphql import VariableDefinitionNode, VariableNode, parse_value, print_ast, visit
from graphql.language import Visitor

from graph.contracts import OperationKind
from graph.planner.fetch_graph.steps import Call, OutputField, OutputTree, Step
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
            definitions += [f"${c.variable}: {type_}" for c, type_ in zip(step.contexts, step.context_types, strict=True)]
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
            contexts=step.contexts,
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

    def _selections(self, tree: OutputTree, *, typed: bool = False) -> str:
        """The selections of a tree; `typed` where the enclosing selections ask for `__typename` already."""
        entity_union = tree.node.type_name not in self.graph.types
        blind = not entity_union and self.graph.is_interface_object(tree.node)
        fields = [(conditions, entry) for (_, conditions), entry in tree.fields.items() if entry.field.name != "__typename"]
        abstract = not entity_union and not blind and self.graph.types[tree.node.type_name].is_abstract
        asked = abstract or len(fields) < len(tree.fields)
        parts = ["__typename"] if asked and not typed else []
        typed = typed or asked
        parts.extend(self._field(entry, conditions) for conditions, entry in fields)
        for name, inner in tree.fragments.items():
            if body := self._selections(inner, typed=typed):
                parts.append(f"... on {name} {{ {body} }}")
        if not parts and not typed:
            # an interface object's name is no type that a client could meet: it must not get into the response tree
            parts.append("_: __typename" if blind else "__typename")
        return " ".join(parts)

    def _field(self, entry: OutputField, conditions: frozenset[Condition]) -> str:
        field = entry.field
        text = field.name if field.key == field.name else f"{field.key}: {field.name}"
        if field.arguments:
            text += f"({', '.join(f'{n}: {v}' for n, v in field.arguments)})"
            for _, value in field.arguments:
                self.used |= variables_in(value)
        outer = ""
        asked = sorted(c for c in conditions if not c.is_deferral)
        for n, condition in enumerate(asked):
            self.used.add(condition.variable)
            directive = f"@{'include' if condition.expected else 'skip'}(if: ${condition.variable})"
            if n == 0:
                text += f" {directive}"
            else:
                outer = f"... {directive} {{ {outer}"
        if entry.tree is not None:
            text += f" {{ {self._selections(entry.tree)} }}"
        return f"{outer}{text}{' }' * (len(asked) - 1)}"


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
