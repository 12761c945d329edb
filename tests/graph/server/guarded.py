"""A small federation with protected fields and types, honest subgraphs, and callers with any scopes one likes; for the tests of rights."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.auth.authenticate import Everybody
from graph.auth.claims import anonymous
from graph.composing import composed
from graph.config import Settings
from graph.contracts import AuditEntry, Principal, RequestContext, SubgraphRequest, SubgraphResponse, SubgraphSDL
from graph.engine import Federation, Surroundings, build_application
from graph.executor.transports.in_process import InProcessTransport
from graph.server.application import Application
from graph.server.messages import Answer, GraphQLRequest
from graph.server.problems import Trace
from graph.supergraph import Supergraph
from tests.federation_audit.subgraph import Behaviour, build_subgraph

LINK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@shareable", "@external", "@requires", "@interfaceObject", "@authenticated", "@requiresScopes", "@policy", "@composeDirective"
]) @link(url: "https://citygraph.dev/spec/v1.0", import: ["@personalData"]) @composeDirective(name: "@personalData")
directive @personalData(pseudonymous: Boolean! = false) on FIELD_DEFINITION
"""
THINGS = (
    LINK
    + """
type Query {
  open: String
  top: String @requiresScopes(scopes: [["top:read"]])
  both: String @requiresScopes(scopes: [["a", "b"], ["c"]])
  ruled: String @policy(policies: [["grown-up"]])
  known: String @authenticated
  thing: Thing
  things: [Thing!]!
  ghost: Ghost
  either: Either
  docs: [Doc!]
  doc(id: ID!): Doc
}
type Mutation {
  write(input: WriteInput!): Written
  erase(id: ID!): Erased @requiresScopes(scopes: [["doc:erase"]])
  fail(id: ID!): Written
}
input WriteInput { title: String! about: ID nested: [ID!] }
type Written { doc: Doc! }
type Erased { deletedId: ID! }
interface Thing @key(fields: "id") { id: ID! name: String weight: Int }
type Stone implements Thing @key(fields: "id") { id: ID! name: String weight: Int @requiresScopes(scopes: [["stone:weigh"]]) }
type Ghost implements Thing @key(fields: "id") @requiresScopes(scopes: [["ghost:see"]]) { id: ID! name: String weight: Int }
type Leaf implements Thing @key(fields: "id") { id: ID! name: String weight: Int }
union Either = Ghost | Doc
scalar Code @requiresScopes(scopes: [["code:read"]])
type Doc @key(fields: "id") {
  id: ID!
  title: String
  body: String @requiresScopes(scopes: [["doc:read"]])
  must: Int! @requiresScopes(scopes: [["doc:must"]])
  code: Code
  owner: String @personalData
  parent: Doc
  thing: Thing
}
"""
)
PRICES = (
    LINK
    + """
type Query { price: Int }
type Doc @key(fields: "id") {
  id: ID!
  body: String @external
  length: Int @requires(fields: "body") @requiresScopes(scopes: [["doc:read"]])
  price: Int @requiresScopes(scopes: [["price:read"]])
}
"""
)
EXTRAS = (
    LINK
    + """
type Query { extra: Int }
type Thing @key(fields: "id") @interfaceObject {
  id: ID!
  note: String
  secret: String @requiresScopes(scopes: [["extra:read"]])
}
"""
)
DOC = {"__typename": "Doc", "id": "d1", "title": "One", "body": "four", "must": 1, "code": "c", "owner": "ada", "parent": None}
STONE, GHOST, LEAF = ({"__typename": kind, "id": kind[0].lower(), "name": kind, "weight": 3} for kind in ("Stone", "Ghost", "Leaf"))
DOCS = [{**DOC, "thing": STONE}, {**DOC, "id": "d2", "title": "Two", "thing": GHOST}]


def _fail(_source: Any, **_arguments: Any) -> Any:
    raise ValueError("no")


BEHAVIOUR = Behaviour(
    records={
        "Doc": DOCS,
        "Stone": [STONE],
        "Ghost": [GHOST],
        "Leaf": [LEAF],
        "Thing": [{**one, "note": "a note", "secret": "a secret"} for one in (STONE, GHOST, LEAF)],
    },
    resolvers={
        "*": {
            **{f"Query.{name}": lambda _source, name=name: name for name in ("open", "top", "both", "ruled", "known")},
            "Query.thing": lambda _source: STONE,
            "Query.things": lambda _source: [STONE, GHOST, LEAF],
            "Query.ghost": lambda _source: GHOST,
            "Query.either": lambda _source: GHOST,
            "Query.docs": lambda _source: DOCS,
            "Query.doc": lambda _source, id: next((one for one in DOCS if one["id"] == id), None),
            "Mutation.write": lambda _source, input: {"doc": DOCS[0]},
            "Mutation.erase": lambda _source, id: {"deletedId": id},
            "Mutation.fail": _fail,
            "Doc.length": lambda source: len(source.inputs["body"]),
            "Doc.price": lambda _source: 7,
        }
    },
)
SDLS = (SubgraphSDL("things", None, THINGS), SubgraphSDL("prices", None, PRICES), SubgraphSDL("extras", None, EXTRAS))


@dataclass
class Recording:
    """A transport that keeps what it is sent, and answers when it may."""

    name: str
    transport: InProcessTransport
    sent: list[tuple[str, str]]
    may_answer: asyncio.Event
    asked: asyncio.Event

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        self.sent.append((self.name, " ".join(request.document.split()) + f" {request.variables}"))
        self.asked.set()
        await self.may_answer.wait()
        return await self.transport.execute(request, context)

    async def close(self) -> None:
        return None


@dataclass
class Kept:
    """An audit sink in memory, which tells what was awaited from what was only noted."""

    written: list[AuditEntry] = field(default_factory=list)
    noted: list[AuditEntry] = field(default_factory=list)
    failure: Exception | None = None

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        if self.failure is not None:
            raise self.failure
        self.written += entries

    def note(self, entry: AuditEntry) -> None:
        self.noted.append(entry)


@dataclass
class Guarded:
    """`sent` are the requests to the subgraphs since it was last cleared."""

    application: Application
    sent: list[tuple[str, str]]
    audit: Kept
    may_answer: asyncio.Event
    asked: asyncio.Event

    async def answer(self, query: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> Answer:
        self.sent.clear()
        context = RequestContext(principal(**caller), "request-1")
        with self.application.in_service.current as pipeline:
            return await pipeline.answer(GraphQLRequest(query, variables or {}), context, Trace("request-1", "f" * 32))


def principal(scopes: Iterable[str] = (), roles: Iterable[str] = (), *, every: bool = False, authenticated: bool = True) -> Principal:
    if every:
        return anonymous("T")
    return Principal("ada", "T", frozenset(roles), frozenset(scopes), authenticated=authenticated)


def guarded(sdls: Sequence[SubgraphSDL] = SDLS, supergraph: Supergraph | None = None, settings: Settings | None = None) -> Guarded:
    sent: list[tuple[str, str]] = []
    kept, may_answer, asked = Kept(), asyncio.Event(), asyncio.Event()
    may_answer.set()
    transports = {
        one.name: Recording(
            one.name, InProcessTransport(build_subgraph(one.name, one.sdl, BEHAVIOUR), lambda context: context), sent, may_answer, asked
        )
        for one in sdls
    }
    federation = Federation(supergraph or composed(sdls), transports)
    around = Surroundings("a test", Everybody(principal()), audit=kept)
    return Guarded(build_application(settings or Settings(), federation, around), sent, kept, may_answer, asked)


def told(answer: Answer) -> list[tuple[str, list[Any], Any]]:
    """Code, path and required scopes of each error."""
    return [(e["extensions"]["code"], e.get("path"), e["extensions"].get("requiredScopes")) for e in answer.body.get("errors", [])]
