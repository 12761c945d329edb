"""A subgraph may print the definitions of the directives and scalars that it links; they must be the linked ones.

Libraries print older or looser forms, so a definition passes as long as all that it allows fits: its arguments are the
specification's (missing optional ones are no harm), and so are its locations.
"""

from collections.abc import Iterator

from graphql import DirectiveDefinitionNode, DocumentNode, ScalarTypeDefinitionNode, TypeDefinitionNode, parse, print_ast

from graph.composition.findings import Findings, Place
from graph.composition.links import Names
from graph.composition.specs import KNOWN_SPECS, LAST_FEDERATION, DirectiveSpec


def check_definitions(document: DocumentNode, names: Names, subgraph: str, findings: Findings) -> None:
    """DIRECTIVE_DEFINITION_INVALID, TYPE_DEFINITION_INVALID."""
    known = {directive.name: directive for spec in KNOWN_SPECS.values() for directive in spec.directives}
    for node in document.definitions:
        if isinstance(node, DirectiveDefinitionNode) and node.name.value in names.directives:
            for problem in _problems(node, known[names.directives[node.name.value]]):
                findings.error(
                    "DIRECTIVE_DEFINITION_INVALID",
                    f'[{subgraph}] The definition of "@{node.name.value}" is not federation\'s: {problem}. Correct it or leave it out:'
                    " linking the directive is enough.",
                    [Place(subgraph, node)],
                )
        elif (
            isinstance(node, TypeDefinitionNode)
            and node.name.value in names.types
            and not isinstance(node, ScalarTypeDefinitionNode)
            and not node.name.value.endswith("Purpose")
        ):
            findings.error(
                "TYPE_DEFINITION_INVALID",
                f'[{subgraph}] "{node.name.value}" is federation\'s and must be a scalar: remove the definition.',
                [Place(subgraph, node)],
            )


def _problems(node: DirectiveDefinitionNode, spec: DirectiveSpec) -> Iterator[str]:
    expected = _definition(spec)
    arguments = {argument.name.value: print_ast(argument.type) for argument in expected.arguments or ()}
    required = {a.name.value for a in expected.arguments or () if print_ast(a.type).endswith("!")}
    given = {argument.name.value: print_ast(argument.type) for argument in node.arguments or ()}
    for name, type_text in given.items():
        if name not in arguments:
            yield f'it has no argument "{name}"'
        elif _shape(type_text, arguments[name]) != _shape(arguments[name], arguments[name]):
            yield f'its argument "{name}" is a {arguments[name]}, not a {type_text}'
    for name in sorted(required - given.keys()):
        yield f'its argument "{name}" is missing'
    surplus = {n.value for n in node.locations} - {n.value for n in expected.locations}
    if surplus:
        yield f"it cannot stand on {', '.join(sorted(surplus))}"
    if node.repeatable and not expected.repeatable:
        yield "it is not repeatable"


def _definition(spec: DirectiveSpec) -> DirectiveDefinitionNode:
    names = dict.fromkeys(("FieldSet", "Scope", "Policy", "ContextFieldValue", "Purpose", "Import"), "String")
    text = spec.definition_at(LAST_FEDERATION).format_map(names)
    node = parse(f"directive @{spec.name}{text}").definitions[0]
    assert isinstance(node, DirectiveDefinitionNode)
    return node


def _shape(type_text: str, expected: str) -> str:
    """Lists alone: names and nullability of printed definitions differ from library to library (`_FieldSet`, `String`, `FieldSet!`)."""
    brackets = "".join(c for c in type_text if c in "[]")
    scalar = expected.strip("[]!")
    own = type_text.strip("[]!")
    return brackets + (scalar if own == scalar or scalar == "String" or own.startswith("_") else own)
