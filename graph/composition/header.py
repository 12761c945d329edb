"""What stands before the types of a supergraph: links and definitions of the specifications that it uses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graph.composition.merged import Merged, MergedType, Use
from graph.composition.specs import APOLLO
from graph.composition.strings import quoted

_JOIN = (
    """directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments)"""
    """ repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION""",
    "directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE",
    """directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String,"""
    """ external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String,"""
    """ contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION""",
    "directive @join__graph(name: String!, url: String!) on ENUM_VALUE",
    "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE",
    """directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false,"""
    """ resolvable: Boolean! = true, isInterfaceObject: Boolean! = false)"""
    """ repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR""",
    "directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION",
    """directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA""",
    """input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}""",
    "scalar join__DirectiveArguments",
    "scalar join__FieldSet",
    "scalar join__FieldValue",
    "scalar link__Import",
    '''enum link__Purpose {
  """
  The specification protects data: whoever doesn't know it must not serve the schema.
  """
  SECURITY

  """
  The specification is needed to execute operations.
  """
  EXECUTION
}''',
)

_EVERYWHERE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE"
    " | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
_AUTH = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"


@dataclass(frozen=True, slots=True)
class Feature:
    """A specification that is linked only where one of its directives is used."""

    name: str
    version: str
    purpose: str | None
    directives: tuple[str, ...]
    definitions: tuple[str, ...]

    @property
    def link(self) -> Use:
        url = ("url", quoted(f"{APOLLO}/{self.name}/{self.version}"))
        beside = [name for name in self.directives if name not in (self.name, f"{self.name}__fromContext")]
        names = ", ".join(quoted(f"@{name}") for name in self.directives)
        imports = [("import", f"[{names}]")] if beside else []
        purpose = [("for", self.purpose)] if self.purpose else []
        return Use("link", (url, *imports, *purpose))


FEATURES = (
    Feature(
        "tag",
        "v0.3",
        None,
        ("tag",),
        (f"directive @tag(name: String!) repeatable on {_EVERYWHERE} | SCHEMA",),
    ),
    Feature("inaccessible", "v0.2", "SECURITY", ("inaccessible",), (f"directive @inaccessible on {_EVERYWHERE}",)),
    Feature("authenticated", "v0.1", "SECURITY", ("authenticated",), (f"directive @authenticated on {_AUTH}",)),
    Feature(
        "requiresScopes",
        "v0.1",
        "SECURITY",
        ("requiresScopes",),
        (
            f"directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on {_AUTH}",
            "scalar requiresScopes__Scope",
        ),
    ),
    Feature(
        "policy",
        "v0.1",
        "SECURITY",
        ("policy",),
        (f"directive @policy(policies: [[policy__Policy!]!]!) on {_AUTH}", "scalar policy__Policy"),
    ),
    Feature(
        "cost",
        "v0.1",
        None,
        ("cost", "listSize"),
        (
            "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
            "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
            " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        ),
    ),
    Feature(
        "context",
        "v0.1",
        "SECURITY",
        ("context", "context__fromContext"),
        (
            "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION",
            "directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION",
            "scalar context__ContextFieldValue",
        ),
    ),
)


def feature_links(types: Iterable[MergedType], schema_uses: Iterable[Use]) -> list[Use]:
    """The links to link and join themselves, and to what is used of the rest."""
    used = _used(types, schema_uses)
    return [
        Use("link", (("url", quoted(f"{APOLLO}/link/v1.0")),)),
        Use("link", (("url", quoted(f"{APOLLO}/join/v0.5")), ("for", "EXECUTION"))),
        *(feature.link for feature in FEATURES if used.intersection(feature.directives)),
    ]


def header(merged: Merged) -> Iterator[str]:
    """Directive definitions first, then the types that they need."""
    used = _used(merged.types.values(), merged.schema_uses)
    features = [d for f in FEATURES if used.intersection(f.directives) for d in f.definitions]
    definitions = sorted([*_JOIN, *features, *merged.definitions, print_graphs(merged)], key=_rank)
    yield from definitions


def _rank(definition: str) -> tuple[bool, str]:
    return not definition.startswith(("directive", '"')), definition.lstrip('"')


def _used(types: Iterable[MergedType], schema_uses: Iterable[Use]) -> set[str]:
    names = {use.name for use in schema_uses}
    for merged in types:
        names |= {use.name for use in merged.all_uses()}
    return names


def print_graphs(merged: Merged) -> str:
    lines = [f"  {graph.value} @join__graph(name: {quoted(graph.name)}, url: {quoted(graph.url)})" for graph in merged.graphs]
    return "\n".join(["enum join__Graph {", *lines, "}"])
