"""`@provides`: external fields of the object that the field answers."""

from graph.composition.facts import Facts, facts_of, fields_of
from graph.composition.field_set_problems import COMPOSITE, Trouble
from graph.composition.field_sets import field_set_of
from graph.composition.findings import Findings
from graph.composition.rules.external_selection import not_external
from graph.composition.rules.field_set_report import report_field_set
from graph.composition.subgraph import Applied, Field, Kind, Subgraph, Type
from graph.composition.type_ref import named

_CODES = {
    Trouble.NOT_A_STRING: "PROVIDES_INVALID_FIELDS_TYPE",
    Trouble.INVALID: "PROVIDES_INVALID_FIELDS",
    Trouble.ARGUMENTS: "PROVIDES_FIELDS_HAS_ARGS",
    Trouble.DIRECTIVES: "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
}


def check_provides(subgraph: Subgraph, findings: Findings) -> None:
    """PROVIDES_*."""
    facts = facts_of(subgraph)
    for owner, field in fields_of(subgraph):
        for applied in field.uses("provides"):
            if _may_provide(subgraph, owner, field, applied, findings):
                _check_fields(subgraph, f"{owner.name}.{field.name}", named(field.type), applied, facts, findings)


def _may_provide(subgraph: Subgraph, owner: Type, field: Field, applied: Applied, findings: Findings) -> bool:
    coordinate, place = f"{owner.name}.{field.name}", subgraph.place(applied.node)
    if owner.kind is Kind.INTERFACE:
        if subgraph.is_federation_two:
            findings.error(
                "PROVIDES_UNSUPPORTED_ON_INTERFACE",
                f'[{subgraph.name}] "{coordinate}" is an interface\'s field, on which @provides is not supported:'
                " put it on the implementations.",
                [place],
            )
        return False
    target = subgraph.types.get(named(field.type))
    if target is None or target.kind not in COMPOSITE:
        if subgraph.is_federation_two:
            findings.error(
                "PROVIDES_ON_NON_OBJECT_FIELD",
                f'[{subgraph.name}] "{coordinate}" is a "{field.type}", of which nothing can be provided: remove @provides.',
                [place],
            )
        return False
    return True


def _check_fields(subgraph: Subgraph, coordinate: str, target: str, applied: Applied, facts: Facts, findings: Findings) -> None:
    selection = field_set_of(applied)
    if not report_field_set(subgraph, coordinate, target, applied, _CODES, findings) or selection is None:
        return
    for missing in not_external(subgraph, facts, target, selection):
        findings.error(
            "PROVIDES_FIELDS_MISSING_EXTERNAL",
            f'[{subgraph.name}] "{coordinate}" provides "{missing}", which should be marked @external: this subgraph answers it anyway.',
            [subgraph.place(applied.node), subgraph.place(subgraph.field(missing).node)],
        )
