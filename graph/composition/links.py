"""`@link`: which specifications a subgraph uses, in which version, and under which names it knows their directives and types.

A linked element is known by its import (or the import's `as`), or else in the specification's namespace (`@federation__key`; the
namespace is the link's `as`, or the specification's name). Without any link to federation, the subgraph is federation 1, where the
bare names are federation's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    ConstValueNode,
    DocumentNode,
    ListValueNode,
    ObjectValueNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
)

from graph.composition.findings import Findings, Place
from graph.composition.specs import (
    FEDERATION,
    FEDERATION_ONE,
    FEDERATION_ONE_DIRECTIVES,
    FEDERATION_SPEC,
    KNOWN_SPECS,
    LAST_FEDERATION,
    LINK,
    LINK_SPEC,
    Spec,
    Version,
)

_VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)")
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


@dataclass(frozen=True, slots=True)
class Import:
    """An element of a specification (`@key`, `FieldSet`) and the name that the subgraph gives it."""

    element: str
    alias: str


@dataclass(frozen=True, slots=True)
class Link:
    """One `@link`. `name` is the specification's own name and `namespace` the one that the subgraph uses."""

    identity: str
    name: str
    version: Version | None
    namespace: str
    imports: tuple[Import, ...]
    purpose: str | None
    node: ConstDirectiveNode | None

    @property
    def url(self) -> str:
        return self.identity if self.version is None else f"{self.identity}/v{self.version[0]}.{self.version[1]}"

    def directive(self, name: str) -> str:
        """The name, without `@`, under which the subgraph knows a directive of this specification."""
        for imported in self.imports:
            if imported.element == f"@{name}":
                return imported.alias.removeprefix("@")
        return name if name == self.name and name == self.namespace else self._default(name)

    def type(self, name: str) -> str:
        for imported in self.imports:
            if imported.element == name:
                return imported.alias
        return f"{self.namespace}__{name}"

    def _default(self, name: str) -> str:
        # A specification's main directive has its name: `@inaccessible` of `inaccessible`, under `as: "x"` it is `@x`.
        return self.namespace if name == self.name else f"{self.namespace}__{name}"


@dataclass(frozen=True, slots=True)
class Names:
    """What the directive and type names of one subgraph mean. Keys are names as written, values the specifications' own."""

    links: tuple[Link, ...]
    version: Version
    directives: Mapping[str, str]
    types: frozenset[str]


def read_links(document: DocumentNode, subgraph: str, findings: Findings) -> Names:
    """Reads the links of a subgraph's schema definition and extensions; broken ones are reported and left out."""
    nodes = [
        directive
        for definition in document.definitions
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode)
        for directive in definition.directives or ()
    ]
    link_directive = _link_directive(nodes)
    links: dict[str, Link] = {}
    for node in nodes:
        if node.name.value != link_directive:
            continue
        link = _read_link(node, subgraph, findings)
        if link is None:
            continue
        if link.identity in links:
            findings.error(
                "INVALID_LINK_DIRECTIVE_USAGE",
                f'[{subgraph}] The specification "{link.identity}" is linked more than once: keep one @link to it.',
                [Place(subgraph, node)],
            )
            continue
        links[link.identity] = link
    if links and LINK not in links:
        links[LINK] = Link(LINK, "link", (1, 0), link_directive, (), None, None)
    return _names(tuple(links.values()), subgraph, findings)


def _link_directive(nodes: Sequence[ConstDirectiveNode]) -> str:
    """The name of `@link` itself, which a link to its own specification may change."""
    for node in nodes:
        url = _arguments(node).get("url")
        if isinstance(url, StringValueNode) and url.value.startswith(f"{LINK}/"):
            return node.name.value
    return "link"


def _arguments(node: ConstDirectiveNode) -> dict[str, ConstValueNode]:
    return {argument.name.value: argument.value for argument in node.arguments or ()}


def _read_link(node: ConstDirectiveNode, subgraph: str, findings: Findings) -> Link | None:
    arguments = _arguments(node)
    place = Place(subgraph, node)
    url = arguments.get("url")
    if not isinstance(url, StringValueNode):
        findings.error("INVALID_LINK_DIRECTIVE_USAGE", f"[{subgraph}] @link needs a url, a string such as {FEDERATION}/v2.9.", [place])
        return None
    parsed = split_url(url.value)
    if parsed is None:
        findings.error(
            "INVALID_LINK_IDENTIFIER",
            f'[{subgraph}] "{url.value}" does not identify a specification: expected an http(s) URL that ends in /<name>/v<major>.<minor>.',
            [place],
        )
        return None
    identity, name, version = parsed
    alias, purpose = arguments.get("as"), arguments.get("for")
    namespace = alias.value if isinstance(alias, StringValueNode) else name
    if not _NAME.fullmatch(namespace) or namespace.endswith("_") or "__" in namespace:
        findings.error(
            "INVALID_LINK_IDENTIFIER",
            f'[{subgraph}] "{namespace}" cannot be the namespace of {url.value}:'
            " it must be a GraphQL name without double underscore and without one at its end.",
            [place],
        )
        return None
    imports = _read_imports(arguments.get("import"), url.value, place, findings)
    return Link(identity, name, version, namespace, imports, getattr(purpose, "value", None), node)


def split_url(url: str) -> tuple[str, str, Version | None] | None:
    """Identity, name and version of a specification's URL; None where it has no such form."""
    if not re.match(r"https?://[^/?#\s]+/", url):
        return None
    segments = url.split("?")[0].split("#")[0].rstrip("/").split("/")
    version = None
    if match := _VERSION.fullmatch(segments[-1]):
        version = (int(match[1]), int(match[2]))
        segments.pop()
    name = segments[-1]
    if len(segments) < 4 or not _NAME.fullmatch(name.replace("-", "_")):
        return None
    return "/".join(segments), name, version


def _read_imports(value: ConstValueNode | None, url: str, place: Place, findings: Findings) -> tuple[Import, ...]:
    if value is None:
        return ()
    if not isinstance(value, ListValueNode):
        findings.error("INVALID_LINK_DIRECTIVE_USAGE", f"[{place.subgraph}] The imports of {url} must be a list.", [place])
        return ()
    imports = []
    for item in value.values:
        found = _read_import(item)
        problem = _import_problem(found)
        if found is None or problem is not None:
            findings.error(
                "INVALID_LINK_DIRECTIVE_USAGE",
                f"[{place.subgraph}] {problem} in the imports of {url}.",
                [Place(place.subgraph, item)],
            )
            continue
        imports.append(found)
    return tuple(imports)


def _read_import(item: ConstValueNode) -> Import | None:
    if isinstance(item, StringValueNode):
        return Import(item.value, item.value)
    if not isinstance(item, ObjectValueNode):
        return None
    parts = {part.name.value: part.value for part in item.fields}
    name, alias = parts.get("name"), parts.get("as")
    if not isinstance(name, StringValueNode) or not isinstance(alias, StringValueNode | None):
        return None
    return Import(name.value, name.value if alias is None else alias.value)


def _import_problem(found: Import | None) -> str | None:
    if found is None:
        return 'An import is neither a string nor {name: "…", as: "…"}'
    if found.element.startswith("@") != found.alias.startswith("@"):
        return f'"{found.element}" is imported as "{found.alias}": either both or none start with "@"'
    return None


def _names(links: tuple[Link, ...], subgraph: str, findings: Findings) -> Names:
    by_identity = {link.identity: link for link in links}
    federation = by_identity.get(FEDERATION)
    directives: dict[str, str] = {}
    types: set[str] = set()
    if federation is None:
        directives |= {name: name for name in FEDERATION_ONE_DIRECTIVES}
        types.add("FieldSet")
    version = _federation_version(federation, subgraph, findings)
    for link in links:
        spec = KNOWN_SPECS.get(link.identity)
        if spec is None:
            continue
        at = version if spec is FEDERATION_SPEC else LAST_FEDERATION
        _check_imports(link, spec, at, subgraph, findings)
        directives |= {link.directive(d.name): d.name for d in spec.directives if d.since <= at}
        types |= {link.type(t.name) for t in spec.types}
    return Names(links, version, directives, frozenset(types))


def _federation_version(link: Link | None, subgraph: str, findings: Findings) -> Version:
    if link is None:
        return FEDERATION_ONE
    versions = FEDERATION_SPEC.versions
    if versions is not None and link.version in versions:
        return link.version
    findings.error(
        "UNKNOWN_FEDERATION_LINK_VERSION",
        f'[{subgraph}] "{link.url}" is no version of federation that is known here:'
        f" link v2.0 to v{LAST_FEDERATION[0]}.{LAST_FEDERATION[1]}.",
        [Place(subgraph, link.node)],
    )
    return LAST_FEDERATION


def _check_imports(link: Link, spec: Spec, version: Version, subgraph: str, findings: Findings) -> None:
    """An import that the specification doesn't define is a misspelling, or newer than the linked version."""
    known = {f"@{d.name}" for d in spec.directives if d.since <= version}
    known |= {t.name for t in spec.types if t.since <= version}
    if spec is LINK_SPEC:
        known |= {"Purpose", "Import"}
    for imported in link.imports:
        if imported.element in known:
            continue
        findings.error(
            "INVALID_LINK_DIRECTIVE_USAGE",
            f'[{subgraph}] {link.url} does not define "{imported.element}": it defines {", ".join(sorted(known))}.',
            [Place(subgraph, link.node)],
        )
