"""What a subgraph links must be known here where knowing it matters.

A specification that nobody here knows is no harm in itself: its directives are the subgraph's own affair. It is one where the link says
that the specification is needed `for: SECURITY` or `for: EXECUTION`, and where Apollo's own are linked in a version of the future.
"""

from collections.abc import Iterator

from graph.composition.findings import Findings, Place
from graph.composition.links import Link, Names
from graph.composition.specs import CONNECT, FEDERATION, KNOWN_SPECS, LINK


def check_linked_specs(names: Names, subgraph: str, findings: Findings) -> None:
    """UNSUPPORTED_FEATURE, UNSUPPORTED_LINKED_FEATURE, UNKNOWN_LINK_VERSION.

    Federation's own version has a code of its own, and was looked at when the names were read.
    """
    for link in names.links:
        for code, problem in _problems(link):
            findings.error(code, f"[{subgraph}] {problem}.", [Place(subgraph, link.node)])


def _problems(link: Link) -> Iterator[tuple[str, str]]:
    spec = KNOWN_SPECS.get(link.identity)
    if link.identity == CONNECT:
        yield (
            "UNSUPPORTED_FEATURE",
            f"{link.url} needs a router that calls REST services itself, which this one does not: put a subgraph before the service",
        )
    elif spec is None and link.purpose is not None:
        yield (
            "UNSUPPORTED_LINKED_FEATURE",
            f"{link.url} is linked for: {link.purpose}, so it must not be ignored, and it is not known here:"
            " remove the purpose if the subgraph alone has to understand it, or else the link",
        )
    elif spec is not None and spec.versions is not None and link.version not in spec.versions and link.identity != FEDERATION:
        known = ", ".join(f"v{major}.{minor}" for major, minor in sorted(spec.versions))
        what = "@link itself" if link.identity == LINK else f'"{spec.name}"'
        yield "UNKNOWN_LINK_VERSION", f"{link.url} is no version of {what} that is known here: link one of {known}"
