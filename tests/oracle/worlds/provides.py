"""A theatre: `@provides` on objects, interfaces and unions, which makes a field answerable on some paths and not on others."""

from tests.federation_audit.subgraph import Behaviour, Source
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "stage": """
type Query {
  tonight: Play @provides(fields: "title")
  plays: [Play!]!
  programme: [Item!]! @provides(fields: "... on Play { title author { name } } ... on Concert { title }")
  lead: Actor @provides(fields: "name agent { ... on Firm { name } }")
  cast: [Artist] @provides(fields: "... on Actor { name } ... on Singer { voice }")
  venue: Venue! @provides(fields: "play { title author { name born } }")
}
union Item = Play | Concert
interface Artist { id: ID!  stageName: String! }
type Play @key(fields: "id") { id: ID!  title: String! @external  author: Author @external  acts: Int }
type Concert @key(fields: "id") { id: ID!  title: String! @external  singers: [Singer!]! @provides(fields: "voice") }
type Author @key(fields: "id") { id: ID!  name: String! @external  born: Int @external }
type Actor implements Artist @key(fields: "id") {
  id: ID!  stageName: String!  name: String @external  agent: Agent @external  plays: [Play!] @provides(fields: "author { born }")
}
type Singer implements Artist @key(fields: "id") { id: ID!  stageName: String!  voice: Voice @external }
union Agent = Firm | Friend
type Firm @key(fields: "id") { id: ID!  name: String! @external }
type Friend @key(fields: "id") { id: ID! }
enum Voice { ALTO BASS }
type Venue { play: Play  seats: Int! }
""",
    "texts": """
type Query { authors: [Author!]! }
type Play @key(fields: "id") { id: ID!  title: String! @shareable  author: Author @shareable }
type Concert @key(fields: "id") { id: ID!  title: String! @shareable  composer: Author }
type Author @key(fields: "id") { id: ID!  name: String! @shareable  born: Int @shareable  wrote: [Item!]! }
union Item = Play | Concert
""",
    "people": """
type Query { people: [Artist!]! }
interface Artist { id: ID!  fee(days: Int! = 1): Int }
type Actor implements Artist @key(fields: "id") { id: ID!  name: String @shareable  agent: Agent @shareable  fee(days: Int! = 1): Int }
type Singer implements Artist @key(fields: "id") { id: ID!  voice: Voice @shareable  fee(days: Int! = 1): Int }
union Agent = Firm | Friend
type Firm @key(fields: "id") { id: ID!  name: String! @shareable  phone: String }
type Friend @key(fields: "id") { id: ID!  since: Int }
enum Voice { ALTO BASS }
""",
}
FOUND = records(
    Play=[
        {"id": "p1", "title": "Rain", "author": "w1", "acts": 3},
        {"id": "p2", "title": "Snow", "author": None, "acts": None},
    ],
    Concert=[{"id": "c1", "title": "Wind", "singers": ["n1"], "composer": "w2"}],
    Author=[
        {"id": "w1", "name": "Minna", "born": 1844, "wrote": ["p1", "c1"]},
        {"id": "w2", "name": "Kaija", "born": None, "wrote": []},
    ],
    Actor=[
        {"id": "t1", "stageName": "T", "name": "Tauno", "agent": "f1", "plays": ["p1", "p2"], "fee": 10},
        {"id": "t2", "stageName": "U", "name": None, "agent": "d1", "plays": None, "fee": None},
    ],
    Singer=[
        {"id": "n1", "stageName": "N", "voice": "ALTO", "fee": 7},
        {"id": "n2", "stageName": "M", "voice": None, "fee": 1},
    ],
    Firm=[{"id": "f1", "name": "Stars", "phone": None}],
    Friend=[{"id": "d1", "since": 1990}],
)
RECORDS = having(FOUND, Item="Play Concert", Artist="Actor Singer", Agent="Firm Friend")


def fee(artist: Source, days: int) -> int | None:
    return None if artist["fee"] is None else artist["fee"] * (days % 100)


WORLD = World(
    "provides",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.tonight": lambda _: "p1",
                "Query.plays": lambda _: ["p2", "p1"],
                "Query.programme": lambda _: ["p1", "c1", "p2"],
                "Query.lead": lambda _: "t1",
                "Query.cast": lambda _: ["t1", "n1", None, "t2", "n2"],
                "Query.venue": lambda _: {"play": "p1", "seats": 300},
                "Query.authors": lambda _: ["w1", "w2"],
                "Query.people": lambda _: ["t2", "n2", "n1", "t1"],
                "Actor.fee": fee,
                "Singer.fee": fee,
            }
        },
    ),
)
