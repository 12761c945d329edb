"""The supergraph as SDL: the header of the join specification, then every type by name."""

from collections.abc import Iterable, Iterator

from graph.composition.header import header
from graph.composition.merged import Merged, MergedElement, MergedField, MergedInput, MergedType, Use
from graph.composition.strings import described
from graph.composition.subgraph import ROOTS, Kind


def print_supergraph(merged: Merged) -> str:
    """Definitions are separated by one blank line; the text ends with a newline."""
    blocks = [_schema(merged), *header(merged), *(_type(found) for _, found in sorted(merged.types.items()))]
    return "\n\n".join(blocks) + "\n"


def _schema(merged: Merged) -> str:
    uses = "".join(f"\n  {use}" for use in (*merged.links, *merged.schema_uses))
    roots = "".join(f"  {root.lower()}: {root}\n" for root in ROOTS if root in merged.types)
    return f"{described(merged.description)}schema{uses}\n{{\n{roots}}}"


def _type(merged: MergedType) -> str:
    interfaces = f" implements {' & '.join(merged.interfaces)}" if merged.interfaces else ""
    head = f"{described(merged.description)}{merged.kind} {merged.name}{interfaces}{_lines(merged.uses)}"
    match merged.kind:
        case Kind.SCALAR:
            return head
        case Kind.UNION:
            return f"{head}\n  = {' | '.join(merged.members)}"
        case Kind.ENUM:
            return _block(head, (_element(value) for value in merged.values.values()))
        case Kind.INPUT:
            return _block(head, (_input(value, "  ") for value in merged.inputs.values()))
        case _:
            return _block(head, (_field(found) for found in merged.fields.values()))


def _block(head: str, items: Iterable[str]) -> str:
    return "\n".join([head, "{", *items, "}"])


def _lines(uses: Iterable[Use]) -> str:
    return "".join(f"\n  {use}" for use in uses)


def _inline(uses: Iterable[Use]) -> str:
    return "".join(f" {use}" for use in uses)


def _element(merged: MergedElement) -> str:
    return f"{described(merged.description, '  ')}  {merged.name}{_inline(merged.uses)}"


def _field(merged: MergedField) -> str:
    head = f"{described(merged.description, '  ')}  {merged.name}"
    return f"{head}{_arguments(merged)}: {merged.type}{_inline(merged.uses)}"


def _arguments(merged: MergedField) -> str:
    if not merged.arguments:
        return ""
    if not any(argument.description for argument in merged.arguments.values()):
        return f"({', '.join(_input(argument) for argument in merged.arguments.values())})"
    lines: Iterator[str] = (_input(argument, "    ") for argument in merged.arguments.values())
    return "\n".join(["(", *lines, "  )"])


def _input(merged: MergedInput, indent: str = "") -> str:
    default = "" if merged.default is None else f" = {merged.default}"
    head = f"{described(merged.description, indent)}{indent}{merged.name}"
    return f"{head}: {merged.type}{default}{_inline(merged.uses)}"
