"""`@fromContext`: arguments that the gateway fills from an object further up; clients don't see them.

A subgraph's context `name` is `<subgraph>__<name>` in the supergraph, so that contexts of two subgraphs can't be confused. The
subgraph's name stands there as it is: it is only ever compared.
"""

import re

from graph.composition.field_sets import print_field_set
from graph.composition.gathered import FieldSource
from graph.composition.strings import quoted
from graph.composition.subgraph import InputValue

_FIELD_VALUE = re.compile(r"\s*\$\s*([_A-Za-z][_0-9A-Za-z]*)\s*(.*)", re.DOTALL)


def split_context(text: str) -> tuple[str, str] | None:
    """`$context { selection }` as the context's name and the selection with its braces, or type conditions."""
    match = _FIELD_VALUE.fullmatch(text)
    return (match[1], match[2]) if match and match[2].strip() else None


def context_name(subgraph: str, name: str) -> str:
    return f"{subgraph}__{name}"


def is_contextual(argument: InputValue) -> bool:
    return argument.has("fromContext")


def context_arguments(source: FieldSource) -> str | None:
    """The value of `contextArguments` for one subgraph's field, or None."""
    printed = []
    for argument in source.field.arguments.values():
        applied = argument.use("fromContext")
        found = split_context(applied.string("field") or "") if applied else None
        if found is None:
            continue
        context = quoted(context_name(source.member.name, found[0]))
        selection = quoted(f"{{ {print_field_set(found[1])} }}")
        own_type = quoted(str(argument.type))
        name = quoted(argument.name)
        printed.append(f"{{context: {context}, name: {name}, type: {own_type}, selection: {selection}}}")
    return f"[{', '.join(printed)}]" if printed else None
