"""`@key`: fields that exist, need no arguments, and are not abstract."""

from graph.composition.field_set_problems import Trouble
from graph.composition.field_sets import print_field_set, same_field_set
from graph.composition.findings import Findings
from graph.composition.rules.field_set_report import report_field_set
from graph.composition.subgraph import Applied, Kind, Subgraph, Type

ENTITY_INTERFACES_SINCE = (2, 3)

_CODES = {
    Trouble.NOT_A_STRING: "KEY_INVALID_FIELDS_TYPE",
    Trouble.INVALID: "KEY_INVALID_FIELDS",
    Trouble.ARGUMENTS: "KEY_FIELDS_HAS_ARGS",
    Trouble.DIRECTIVES: "KEY_DIRECTIVE_IN_FIELDS_ARG",
    Trouble.ABSTRACT: "KEY_FIELDS_SELECT_INVALID_TYPE",
}


def check_keys(subgraph: Subgraph, findings: Findings) -> None:
    """KEY_* and INTERFACE_KEY_NOT_ON_IMPLEMENTATION."""
    for owner in subgraph.types.values():
        for applied in owner.uses("key"):
            if owner.kind is Kind.INTERFACE and not _interface_may_have_keys(subgraph, owner, applied, findings):
                continue
            right = report_field_set(subgraph, owner.name, owner.name, applied, _CODES, findings)
            if right and owner.kind is Kind.INTERFACE:
                _check_implementations(subgraph, owner, applied, findings)


def _interface_may_have_keys(subgraph: Subgraph, owner: Type, applied: Applied, findings: Findings) -> bool:
    if subgraph.version >= ENTITY_INTERFACES_SINCE:
        return True
    # Federation 1 let libraries print keys on interfaces, and ignored them.
    if subgraph.is_federation_two:
        findings.error(
            "KEY_UNSUPPORTED_ON_INTERFACE",
            f'[{subgraph.name}] Interface "{owner.name}" has a @key, which needs federation v2.3: link that or newer.',
            [subgraph.place(applied.node)],
        )
    return False


def _check_implementations(subgraph: Subgraph, owner: Type, applied: Applied, findings: Findings) -> None:
    key = print_field_set(applied.string("fields") or "")
    resolvable = applied.boolean("resolvable", True)
    for implementation in subgraph.implementations(owner.name):
        same = [k for k in implementation.uses("key") if same_field_set(k.string("fields") or "", key)]
        if not same:
            problem = "does not have it"
        elif resolvable and not any(k.boolean("resolvable", True) for k in same):
            problem = "has it with resolvable: false"
        else:
            continue
        findings.error(
            "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
            f'[{subgraph.name}] Interface "{owner.name}" has @key(fields: "{key}"), but its implementation'
            f' "{implementation.name}" {problem}: give the implementation the same key.',
            [subgraph.place(applied.node), subgraph.place(implementation.node)],
        )
