"""What a document may cost, settled before anything expensive looks at it.

Parsing is recursive and validation compares fields pairwise, so a hostile document of a few kilobytes could hold the event loop for
a second. The checks here take time linear in the document (or in the bound that they enforce): first over the bare text, then over
the parsed document with fragments counted as often as they are spread.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from graph.errors import GraphQLValidationFailed, PayloadTooLarge

MAX_VALUE_NESTING = 24
"""Brackets that literals may add to those of selection sets: GeoJSON's multi-polygons need six."""
MAX_LEVELS = 120
"""Selection sets and fragments inside one another: what walks them recursively stays far from Python's own limit."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds on one document; `overlap` is the number of pairs that validation may have to compare."""

    bytes: int = 100_000
    tokens: int = 10_000
    depth: int = 40
    fields: int = 5_000
    aliases: int = 500
    root_fields: int = 100
    directives: int = 200
    fragments: int = 200
    operations: int = 50
    overlap: int = 60_000


# Possessive throughout: a text that matches nowhere is still read once.
_SIGNIFICANT = re.compile(
    r'(?P<other>"""(?:[^"\\]++|\\"""|\\|"(?!""))*+(?:"""|\Z)'  # block string
    r'|"(?:[^"\\\n\r]++|\\.)*+"?'  # string
    r"|[\w.+-]++|[!$&:=|])"  # name or number, with the dots of a spread before it; the other punctuation
    r"|\#[^\n\r]*+"  # comment
    r"|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<directive>@)",
)


def check_text(text: str, limits: DocumentLimits) -> None:
    """Size, tokens, nesting and directives of the text as it is, so that the parser's recursion is bounded. Raises `CityGraphError`s.

    Tokens are counted low: the parser, which takes ten times as long to get there, has the last word.
    """
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > limits.bytes:
        raise PayloadTooLarge(f"the document has {size} bytes: at most {limits.bytes} are accepted")
    allowed = limits.depth + MAX_VALUE_NESTING
    depth = directives = tokens = 0
    for match in _SIGNIFICANT.finditer(text):
        kind = match.lastgroup
        tokens += kind is not None
        if tokens > limits.tokens:
            raise GraphQLValidationFailed(f"the document has more than {limits.tokens} tokens")
        if kind == "open":
            depth += 1
            if depth > allowed:
                raise _refused("nests", depth, "levels of brackets", allowed)
        elif kind == "close":
            depth -= 1
        elif kind == "directive":
            directives += 1
            if directives > limits.directives:
                raise _refused("has", directives, "directives", limits.directives)


def check_document(document: DocumentNode, limits: DocumentLimits) -> None:
    """Depth, breadth and overlap of what each operation expands to. Raises `GraphQLValidationFailed`."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(fragments) > limits.fragments:
        raise _refused("has", len(fragments), "fragments", limits.fragments)
    if len(operations) > limits.operations:
        raise _refused("has", len(operations), "operations", limits.operations)
    sizes = _Sizes(fragments)
    for name in fragments:
        sizes.of_fragment(name)
    for operation in operations:
        size = sizes.of(operation.selection_set)
        _check_size(size, limits)
        _check_overlap(operation, fragments, limits)


@dataclass(frozen=True, slots=True)
class _Size:
    """What a selection set amounts to with its fragments spread out; `selections` counts the spreads themselves too."""

    selections: int = 0
    aliases: int = 0
    depth: int = 0
    top: int = 0


class _Sizes:
    """Sizes of selection sets, each fragment measured once: sums of numbers, never an expansion."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, _Size] = {}
        self._open: set[str] = set()
        self._level = 0

    def of_fragment(self, name: str) -> _Size:
        known = self._known.get(name)
        if known is not None:
            return known
        if name in self._open:
            raise GraphQLValidationFailed(f"fragment {name!r} spreads itself, directly or through others")
        node = self._fragments.get(name)
        if node is None:
            return _Size()  # validation names it
        self._open.add(name)
        size = self.of(node.selection_set)
        self._open.discard(name)
        self._known[name] = size
        return size

    def of(self, selections: SelectionSetNode) -> _Size:
        self._level += 1
        if self._level > MAX_LEVELS:
            raise _refused("nests", self._level, "selection sets and fragments", MAX_LEVELS)
        count = aliases = depth = top = 0
        for node in selections.selections:
            count += 1
            if isinstance(node, FieldNode):
                inner = self.of(node.selection_set) if node.selection_set else _Size()
                aliases += node.alias is not None
                deeper, beside = inner.depth + 1, 1
            else:
                inner = self._of_spread(node)
                deeper, beside = inner.depth, inner.top
            count += inner.selections
            aliases += inner.aliases
            depth = max(depth, deeper)
            top += beside
        self._level -= 1
        return _Size(count, aliases, depth, top)

    def _of_spread(self, node: SelectionNode) -> _Size:
        if isinstance(node, FragmentSpreadNode):
            return self.of_fragment(node.name.value)
        return self.of(node.selection_set) if isinstance(node, InlineFragmentNode) else _Size()


def _check_size(size: _Size, limits: DocumentLimits) -> None:
    if size.depth > limits.depth:
        raise _refused("nests", size.depth, "levels of fields", limits.depth)
    if size.selections > limits.fields:
        raise _refused("selects", size.selections, "fields, counting a fragment wherever it is spread", limits.fields)
    if size.aliases > limits.aliases:
        raise _refused("has", size.aliases, "aliases, counting a fragment wherever it is spread", limits.aliases)
    if size.top > limits.root_fields:
        raise _refused("has", size.top, "root fields", limits.root_fields)


@dataclass(slots=True)
class _Place:
    """One place of the answer: how often each response key is selected there, and by how many different fragments."""

    keys: Counter[str] = field(default_factory=Counter)
    fragments: set[str] = field(default_factory=set)
    below: dict[str, "_Place"] = field(default_factory=dict)

    def pairs(self) -> int:
        own = sum(count * count for count in self.keys.values() if count > 1) + len(self.fragments) ** 2
        return own + sum(place.pairs() for place in self.below.values())


def _check_overlap(operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode], limits: DocumentLimits) -> None:
    """Validation compares selections of the same key at the same place in pairs; the walk is bounded by `limits.fields`."""
    root = _Place()
    _fill(root, operation.selection_set, fragments)
    pairs = root.pairs()
    if pairs > limits.overlap:
        raise _refused("selects the same fields again and again:", pairs, "pairs to compare", limits.overlap)


def _fill(place: _Place, selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> None:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            key = (node.alias or node.name).value
            place.keys[key] += 1
            if node.selection_set:
                _fill(place.below.setdefault(key, _Place()), node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            place.fragments.add(node.name.value)
            if fragment := fragments.get(node.name.value):
                _fill(place, fragment.selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            _fill(place, node.selection_set, fragments)


def _refused(verb: str, found: int, what: str, allowed: int) -> GraphQLValidationFailed:
    return GraphQLValidationFailed(f"the document {verb} {found} {what}: at most {allowed} are accepted")
