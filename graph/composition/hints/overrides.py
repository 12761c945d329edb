"""`@override` is for a while: what can be removed once it has done its work."""

from collections.abc import Mapping

from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered
from graph.composition.subgraph import Kind


def hint_overrides(gathered: Gathered, findings: Findings) -> None:
    """FROM_SUBGRAPH_DOES_NOT_EXIST, OVERRIDE_DIRECTIVE_CAN_BE_REMOVED, OVERRIDDEN_FIELD_CAN_BE_REMOVED, OVERRIDE_MIGRATION_IN_PROGRESS."""
    names = frozenset(member.name for member in gathered.members)
    for type_name in gathered.of_kind(Kind.OBJECT):
        for field_name in gathered.field_names(type_name):
            by_name = {source.member.name: source for source in gathered.field_sources(type_name, field_name)}
            for source in by_name.values():
                _hint(gathered, source, by_name, names, findings)


def _hint(gathered: Gathered, source: FieldSource, by_name: Mapping[str, FieldSource], names: frozenset[str], findings: Findings) -> None:
    applied = source.field.use("override")
    if applied is None:
        return
    origin_name = applied.string("from") or ""
    origin, what = by_name.get(origin_name), f'"{source.coordinate}" in "{source.member.name}" overrides "{origin_name}"'
    if origin_name not in names:
        message = f"{what}, which is no subgraph here: the directive can be removed."
        findings.hint("FROM_SUBGRAPH_DOES_NOT_EXIST", message, [source.place])
    elif origin is None or origin.is_external:
        message = f"{what}, which does not answer the field: the directive can be removed."
        findings.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", message, [source.place])
    elif applied.string("label") is not None:
        message = f"{what} for some requests: once it is for all, remove the label, then the field there."
        findings.hint("OVERRIDE_MIGRATION_IN_PROGRESS", message, [source.place, origin.place])
    else:
        overridden = gathered.overrides.of(origin)
        used = overridden is not None and overridden.still_used
        end = "but a key, @requires or @provides needs it there: mark it @external" if used else "where it can be removed"
        findings.hint("OVERRIDDEN_FIELD_CAN_BE_REMOVED", f"{what}, {end}.", [origin.place])
