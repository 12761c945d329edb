"""`@override`: where it may stand, what it may take over."""

import re

from graph.composition.facts import fields_of
from graph.composition.findings import Findings
from graph.composition.gathered import FieldSource, Gathered
from graph.composition.subgraph import Kind, Subgraph

_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*")
_PERCENT = re.compile(r"percent\((\d{1,2}(\.\d{1,8})?|100)\)")


def check_override(subgraph: Subgraph, findings: Findings) -> None:
    """OVERRIDE_ON_INTERFACE, OVERRIDE_FROM_SELF_ERROR, OVERRIDE_LABEL_INVALID."""
    for owner, field in fields_of(subgraph):
        applied = field.use("override")
        if applied is None:
            continue
        coordinate, places = f"{owner.name}.{field.name}", [subgraph.place(applied.node)]
        label = applied.string("label")
        if owner.kind is Kind.INTERFACE:
            findings.error(
                "OVERRIDE_ON_INTERFACE",
                f'[{subgraph.name}] "{coordinate}" is an interface\'s field and overrides nothing: put @override on the'
                " implementations' fields.",
                places,
            )
        elif applied.string("from") == subgraph.name:
            findings.error(
                "OVERRIDE_FROM_SELF_ERROR",
                f'[{subgraph.name}] "{coordinate}" is overridden from its own subgraph: name the one that it comes from.',
                places,
            )
        if label is not None and not _LABEL.fullmatch(label) and not _PERCENT.fullmatch(label):
            findings.error(
                "OVERRIDE_LABEL_INVALID",
                f'[{subgraph.name}] "{coordinate}" has the override label "{label}": expected percent(0) to percent(100), or a name'
                " that starts with a letter and has letters, digits and _-:./ only.",
                places,
            )


def check_overrides(gathered: Gathered, findings: Findings) -> None:
    """OVERRIDE_SOURCE_HAS_OVERRIDE, OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE."""
    for type_name in gathered.of_kind(Kind.OBJECT, Kind.INTERFACE):
        for field_name in gathered.field_names(type_name):
            sources = gathered.field_sources(type_name, field_name)
            by_name = {source.member.name: source for source in sources}
            for source in sources:
                applied = source.field.use("override")
                if applied is not None:
                    _check_one(source, by_name.get(applied.string("from") or ""), findings)


def _check_one(source: FieldSource, origin: FieldSource | None, findings: Findings) -> None:
    coordinate, name = source.coordinate, source.member.name
    if source.field.has("external"):
        findings.error(
            "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
            f'[{name}] "{coordinate}" cannot be @external and @override another subgraph: it answers the field or it doesn\'t.',
            [source.place],
        )
    if origin is None or origin is source:
        return
    places = [source.place, origin.place]
    if origin.field.has("override"):
        findings.error(
            "OVERRIDE_SOURCE_HAS_OVERRIDE",
            f'"{coordinate}" in "{name}" overrides "{origin.member.name}", where the field has an @override too: keep one of them.',
            places,
        )
    for directive in ("requires", "provides"):
        if origin.field.has(directive):
            findings.error(
                "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                f'"{coordinate}" in "{name}" overrides "{origin.member.name}", where the field has @{directive}: remove that first.',
                places,
            )
