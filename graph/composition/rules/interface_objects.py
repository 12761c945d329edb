"""`@interfaceObject` and entity interfaces: the interface is one elsewhere, and whoever has it whole knows all implementations."""

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.subgraph import Kind, Subgraph


def check_interface_objects(subgraph: Subgraph, findings: Findings) -> None:
    """INTERFACE_OBJECT_USAGE_ERROR within one subgraph."""
    for owner in subgraph.types.values():
        if not owner.is_interface_object:
            continue
        if not owner.has("key"):
            findings.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'[{subgraph.name}] "{owner.name}" is an @interfaceObject without @key: give it a key that the interface has too.',
                [subgraph.place(owner.node)],
            )


def check_entity_interfaces(gathered: Gathered, findings: Findings) -> None:
    """INTERFACE_OBJECT_USAGE_ERROR between subgraphs, INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE."""
    for name in gathered.of_kind(Kind.INTERFACE):
        sources = gathered.types[name]
        objects = [source for source in sources if source.type.is_interface_object]
        if objects and len(objects) == len(sources):
            findings.error(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'"{name}" is an @interfaceObject in every subgraph that has it: one must define the interface with its key.',
                [source.place for source in objects],
            )
            continue
        implementations = gathered.implementations_of.get(name, ())
        for source in objects:
            known = [type_name for type_name in implementations if type_name in source.member.subgraph.types]
            for type_name in known:
                findings.error(
                    "INTERFACE_OBJECT_USAGE_ERROR",
                    f'[{source.member.name}] "{name}" is an @interfaceObject here, so its implementation "{type_name}" cannot be'
                    " defined beside it: put the fields on the interface object.",
                    [source.place, source.member.subgraph.place(source.member.subgraph.types[type_name].node)],
                )
        _check_all_known(gathered, name, findings)


def _check_all_known(gathered: Gathered, name: str, findings: Findings) -> None:
    """A subgraph that resolves the interface by its key answers which type an object has: it must know all of them."""
    for source in gathered.types[name]:
        keys = [key for key in source.type.uses("key") if key.boolean("resolvable", True)]
        if source.type.is_interface_object or not keys:
            continue
        own = {found.name for found in source.member.subgraph.implementations(name)}
        missing = [found for found in gathered.implementations_of.get(name, ()) if found not in own]
        if missing:
            findings.error(
                "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                f'[{source.member.name}] Interface "{name}" has a @key here, so all its implementations must be defined here'
                f" too; missing: {', '.join(missing)}.",
                [source.place],
            )
