"""`@requires`: external fields that exist."""

from graph.composition.facts import facts_of, fields_of
from graph.composition.field_set_problems import Trouble
from graph.composition.field_sets import field_set_of
from graph.composition.findings import Findings
from graph.composition.rules.external_selection import not_external
from graph.composition.rules.field_set_report import report_field_set
from graph.composition.subgraph import Kind, Subgraph

_CODES = {
    Trouble.NOT_A_STRING: "REQUIRES_INVALID_FIELDS_TYPE",
    Trouble.INVALID: "REQUIRES_INVALID_FIELDS",
    Trouble.DIRECTIVES: "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
}


def check_requires(subgraph: Subgraph, findings: Findings) -> None:
    """REQUIRES_*."""
    facts = facts_of(subgraph)
    for owner, field in fields_of(subgraph):
        for applied in field.uses("requires"):
            coordinate = f"{owner.name}.{field.name}"
            place = subgraph.place(applied.node)
            if owner.kind is Kind.INTERFACE:
                if subgraph.is_federation_two:
                    findings.error(
                        "REQUIRES_UNSUPPORTED_ON_INTERFACE",
                        f'[{subgraph.name}] "{coordinate}" is an interface\'s field, on which @requires is not supported:'
                        " put it on the implementations.",
                        [place],
                    )
                continue
            selection = field_set_of(applied)
            if not report_field_set(subgraph, coordinate, owner.name, applied, _CODES, findings) or selection is None:
                continue
            for missing in not_external(subgraph, facts, owner.name, selection):
                findings.error(
                    "REQUIRES_FIELDS_MISSING_EXTERNAL",
                    f'[{subgraph.name}] "{coordinate}" requires "{missing}", which should be marked @external:'
                    " this subgraph answers it itself.",
                    [place, subgraph.place(subgraph.field(missing).node)],
                )
