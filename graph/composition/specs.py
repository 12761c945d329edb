"""The specifications that a subgraph may link: which directives and types each defines, and since which version.

The definitions are written once, with the names that the specification gives them; `links` decides under which name a subgraph
knows them, and `reading.validity` supplies the definitions that a subgraph only links.
"""

from dataclasses import dataclass, field

Version = tuple[int, int]

APOLLO = "https://specs.apollo.dev"
FEDERATION = f"{APOLLO}/federation"
LINK = f"{APOLLO}/link"
JOIN = f"{APOLLO}/join"
TAG = f"{APOLLO}/tag"
INACCESSIBLE = f"{APOLLO}/inaccessible"
AUTHENTICATED = f"{APOLLO}/authenticated"
REQUIRES_SCOPES = f"{APOLLO}/requiresScopes"
POLICY = f"{APOLLO}/policy"
COST = f"{APOLLO}/cost"
CONNECT = f"{APOLLO}/connect"

FEDERATION_ONE: Version = (1, 0)
FIRST_FEDERATION_TWO: Version = (2, 0)
LAST_FEDERATION: Version = (2, 14)


@dataclass(frozen=True, slots=True)
class DirectiveSpec:
    """A directive of a specification. `definition` is all that follows its name in SDL, type names in braces."""

    name: str
    definition: str
    since: Version = FIRST_FEDERATION_TWO
    # Where the arguments grew with the versions: (since, definition), newest last.
    later: tuple[tuple[Version, str], ...] = ()

    def definition_at(self, version: Version) -> str:
        found = self.definition
        for since, definition in self.later:
            if version >= since:
                found = definition
        return found


@dataclass(frozen=True, slots=True)
class TypeSpec:
    name: str
    since: Version = FIRST_FEDERATION_TWO


@dataclass(frozen=True, slots=True)
class Spec:
    """A specification under its identity (its URL without the version)."""

    identity: str
    name: str
    directives: tuple[DirectiveSpec, ...] = ()
    types: tuple[TypeSpec, ...] = ()
    versions: frozenset[Version] | None = field(default=None)


_TYPES_AND_FIELDS = "OBJECT | INTERFACE | FIELD_DEFINITION"
_AUTH = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
_EVERYWHERE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE"
    " | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
_TAG = DirectiveSpec(
    "tag",
    f"(name: String!) repeatable on {_EVERYWHERE}",
    FEDERATION_ONE,
    (((2, 3), f"(name: String!) repeatable on {_EVERYWHERE} | SCHEMA"),),
)
_INACCESSIBLE = DirectiveSpec("inaccessible", f" on {_EVERYWHERE}", FEDERATION_ONE)
_AUTHENTICATED = DirectiveSpec("authenticated", f" on {_AUTH}", (2, 5))
_REQUIRES_SCOPES = DirectiveSpec("requiresScopes", f"(scopes: [[{{Scope}}!]!]!) on {_AUTH}", (2, 5))
_POLICY = DirectiveSpec("policy", f"(policies: [[{{Policy}}!]!]!) on {_AUTH}", (2, 6))
_COST = DirectiveSpec(
    "cost",
    "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
    (2, 9),
)
_LIST_SIZE = DirectiveSpec(
    "listSize",
    "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
    " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
    (2, 9),
)

_FEDERATION_DIRECTIVES = (
    DirectiveSpec(
        "key",
        "(fields: {FieldSet}!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE",
        FEDERATION_ONE,
    ),
    DirectiveSpec("requires", "(fields: {FieldSet}!) on FIELD_DEFINITION", FEDERATION_ONE),
    DirectiveSpec("provides", "(fields: {FieldSet}!) on FIELD_DEFINITION", FEDERATION_ONE),
    DirectiveSpec("external", "(reason: String) on OBJECT | FIELD_DEFINITION", FEDERATION_ONE),
    DirectiveSpec("extends", " on OBJECT | INTERFACE", FEDERATION_ONE),
    _TAG,
    _INACCESSIBLE,
    DirectiveSpec(
        "shareable",
        " on OBJECT | FIELD_DEFINITION",
        later=(((2, 2), " repeatable on OBJECT | FIELD_DEFINITION"),),
    ),
    DirectiveSpec(
        "override",
        "(from: String!) on FIELD_DEFINITION",
        later=(((2, 7), "(from: String!, label: String) on FIELD_DEFINITION"),),
    ),
    DirectiveSpec("composeDirective", "(name: String!) repeatable on SCHEMA", (2, 1)),
    DirectiveSpec("interfaceObject", " on OBJECT", (2, 3)),
    _AUTHENTICATED,
    _REQUIRES_SCOPES,
    _POLICY,
    DirectiveSpec("context", "(name: String!) repeatable on INTERFACE | OBJECT | UNION", (2, 8)),
    DirectiveSpec("fromContext", "(field: {ContextFieldValue}) on ARGUMENT_DEFINITION", (2, 8)),
    _COST,
    _LIST_SIZE,
    DirectiveSpec("cacheTag", "(format: String!) repeatable on OBJECT | FIELD_DEFINITION", (2, 12)),
)

FEDERATION_SPEC = Spec(
    FEDERATION,
    "federation",
    _FEDERATION_DIRECTIVES,
    (
        TypeSpec("FieldSet", FEDERATION_ONE),
        TypeSpec("Scope", (2, 5)),
        TypeSpec("Policy", (2, 6)),
        TypeSpec("ContextFieldValue", (2, 8)),
    ),
    frozenset((2, minor) for minor in range(LAST_FEDERATION[1] + 1)),
)
LINK_SPEC = Spec(
    LINK,
    "link",
    (
        DirectiveSpec(
            "link",
            "(url: String!, as: String, for: {Purpose}, import: [{Import}]) repeatable on SCHEMA",
            FEDERATION_ONE,
        ),
    ),
    (TypeSpec("Purpose", FEDERATION_ONE), TypeSpec("Import", FEDERATION_ONE)),
    frozenset({(1, 0)}),
)
# Parts of federation that a subgraph may also link by their own specifications.
_PARTS = (
    Spec(TAG, "tag", (_TAG,), versions=frozenset({(0, 1), (0, 2), (0, 3)})),
    Spec(INACCESSIBLE, "inaccessible", (_INACCESSIBLE,), versions=frozenset({(0, 1), (0, 2)})),
    Spec(AUTHENTICATED, "authenticated", (_AUTHENTICATED,), versions=frozenset({(0, 1)})),
    Spec(REQUIRES_SCOPES, "requiresScopes", (_REQUIRES_SCOPES,), (TypeSpec("Scope"),), frozenset({(0, 1)})),
    Spec(POLICY, "policy", (_POLICY,), (TypeSpec("Policy"),), frozenset({(0, 1)})),
    Spec(COST, "cost", (_COST, _LIST_SIZE), versions=frozenset({(0, 1)})),
)

KNOWN_SPECS: dict[str, Spec] = {spec.identity: spec for spec in (FEDERATION_SPEC, LINK_SPEC, *_PARTS)}

# Federation 1 has no links: these names mean federation wherever they stand, and nothing else does.
FEDERATION_ONE_DIRECTIVES = frozenset(spec.name for spec in _FEDERATION_DIRECTIVES if spec.since == FEDERATION_ONE)
# Machinery that subgraph libraries print into their SDL; the gateway supplies its own.
SUBGRAPH_MACHINERY_TYPES = frozenset({"_Any", "_Entity", "_Service", "_FieldSet"})
SUBGRAPH_MACHINERY_FIELDS = frozenset({"_entities", "_service"})
BUILT_IN_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include", "defer", "stream"})
BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})
