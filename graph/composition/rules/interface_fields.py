"""After merging, an object type may lack a field that its interface got from another subgraph."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.merged import Merged
from graph.composition.subgraph import Kind


def check_interface_fields(merged: Merged, gathered: Gathered, findings: Findings) -> None:
    """INTERFACE_FIELD_NO_IMPLEM."""
    for found in merged.types.values():
        if found.kind not in (Kind.OBJECT, Kind.INTERFACE):
            continue
        for interface in found.interfaces:
            for name in merged.types[interface].fields:
                if name in found.fields:
                    continue
                having = gathered.field_sources(interface, name)
                findings.error(
                    "INTERFACE_FIELD_NO_IMPLEM",
                    f'"{found.name}" implements "{interface}", but no subgraph gives it the field "{name}", which the interface has'
                    f" in {', '.join(source.member.name for source in having)}: add the field to the type.",
                    [*(source.place for source in having), *(source.place for source in gathered.types[found.name])],
                )
