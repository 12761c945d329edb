"""`@cost` and `@listSize` where they can be meant."""

from collections.abc import Iterator

from graphql import NullValueNode

from graph.composition.facts import fields_of
from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.subgraph import Applied, Field, Kind, Subgraph
from graph.composition.type_ref import is_list, named

_NO_SLICES = "LIST_SIZE_INVALID_SLICING_ARGUMENT"
_INTEGERS = ("Int", "Int!")


def check_cost(subgraph: Subgraph, findings: Findings) -> None:
    """COST_APPLIED_TO_INTERFACE_FIELD, LIST_SIZE_*."""
    for owner, field in fields_of(subgraph):
        coordinate = f"{owner.name}.{field.name}"
        if owner.kind is Kind.INTERFACE and field.has("cost"):
            findings.error(
                "COST_APPLIED_TO_INTERFACE_FIELD",
                f'[{subgraph.name}] "{coordinate}" is an interface\'s field and costs nothing itself: put @cost on the'
                " implementations' fields.",
                [subgraph.place(field.node)],
            )
        for applied in field.uses("listSize"):
            for code, problem in _problems(subgraph, field, applied):
                findings.error(code, f'[{subgraph.name}] @listSize on "{coordinate}": {problem}.', [subgraph.place(applied.node)])


def _problems(subgraph: Subgraph, field: Field, applied: Applied) -> Iterator[tuple[str, str]]:
    sized = applied.strings("sizedFields")
    if not is_list(field.type) and not sized:
        yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'"{field.type}" is no list: name the lists in it as sizedFields'
    size = applied.integer("assumedSize")
    if size is not None and size < 0:
        yield "LIST_SIZE_INVALID_ASSUMED_SIZE", f"the assumed size {size} is negative"
    for name in applied.strings("slicingArguments") or ():
        argument = field.arguments.get(name)
        if argument is None:
            yield _NO_SLICES, f'the field has no argument "{name}"'
        elif str(argument.type) not in _INTEGERS:
            yield _NO_SLICES, f'the argument "{name}" is a "{argument.type}", not an Int'
    if isinstance(applied.arguments.get("requireOneSlicingArgument"), NullValueNode):
        yield "LIST_SIZE_INVALID_REQUIRE_ONE_SLICING_ARGUMENT", "requireOneSlicingArgument must be true or false, not null"
    if sized:
        yield from _sized_problems(subgraph, field, sized)


def _sized_problems(subgraph: Subgraph, field: Field, sized: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    target = subgraph.types.get(named(field.type))
    if target is None or target.kind not in (Kind.OBJECT, Kind.INTERFACE):
        yield "LIST_SIZE_INVALID_SIZED_FIELD", f'"{field.type}" has no fields that could be sized'
        return
    for name in sized:
        found = target.fields.get(name)
        if found is None:
            yield "LIST_SIZE_INVALID_SIZED_FIELD", f'"{target.name}" has no field "{name}"'
        elif not is_list(found.type):
            yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'"{target.name}.{name}" is no list'


def check_slicing_everywhere(gathered: Gathered, findings: Findings) -> None:
    """LIST_SIZE_INVALID_SLICING_ARGUMENT where none of the arguments is in the supergraph, because each is missing somewhere."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            sources = [source for source in gathered.field_sources(type_name, field_name) if not source.is_external]
            names = {name for source in sources for use in source.field.uses("listSize") for name in use.strings("slicingArguments") or ()}
            if names and not any(all(name in source.field.arguments for source in sources) for name in names):
                findings.error(
                    _NO_SLICES,
                    f'"{type_name}.{field_name}" is sliced by {", ".join(sorted(names))}, of which no subgraph\'s clients can be sure:'
                    " define the argument in all subgraphs that have the field.",
                    [source.place for source in sources],
                )
