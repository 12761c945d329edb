"""A museum: interfaces that implement interfaces, whose fields have different owners on different types."""

from tests.federation_audit.subgraph import Behaviour, Source
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "catalogue": """
type Query { exhibits: [Exhibit!]!  featured: Exhibit  pick(number: Int! = 1): Exhibit  owned: [Owned]  people: [Person] }
interface Exhibit { id: ID!  title: String!  similar(first: Int = 2): [Exhibit!] }
interface Owned implements Exhibit { id: ID!  title: String!  similar(first: Int = 2): [Exhibit!]  owner: Person }
type Painting implements Exhibit & Owned @key(fields: "id") {
  id: ID!  title: String!  similar(first: Int = 2): [Exhibit!]  owner: Person  painter: Person
}
type Sculpture implements Exhibit & Owned @key(fields: "id") {
  id: ID!  title: String!  similar(first: Int = 2): [Exhibit!]  owner: Person  material: Material!
}
type Video implements Exhibit @key(fields: "id") { id: ID!  title: String!  similar(first: Int = 2): [Exhibit!]  minutes: Int }
type Person @key(fields: "id") { id: ID!  name: String }
enum Material { BRONZE MARBLE }
""",
    "insurance": """
type Query { dearest: Insured  insured(above: Int): [Insured!]! }
interface Insured { value(currency: String = "EUR"): String }
type Painting implements Insured @key(fields: "id") { id: ID!  value(currency: String = "EUR"): String  insurer: Person! }
type Sculpture implements Insured @key(fields: "id") { id: ID!  value(currency: String = "EUR"): String }
type Person @key(fields: "id") { id: ID!  insures: [Insured!]!  phone: String }
""",
    "places": """
type Query { rooms: [Room!]! }
interface Exhibit { id: ID!  room: Room! }
interface Owned implements Exhibit { id: ID!  room: Room! }
type Painting implements Exhibit & Owned @key(fields: "id") { id: ID!  room: Room! }
type Sculpture implements Exhibit & Owned @key(fields: "id") { id: ID!  room: Room! }
type Video implements Exhibit @key(fields: "id") { id: ID!  room: Room! }
type Room @key(fields: "id") { id: ID!  name: String!  exhibits(first: Int): [Exhibit!]! }
""",
}
FOUND = records(
    Painting=[
        {
            "id": "p1",
            "title": "Sunrise",
            "owner": "h1",
            "painter": "h2",
            "room": "r1",
            "value": 500,
            "insurer": "h3",
            "similar": ["p2", "v1"],
        },
        {"id": "p2", "title": "Noon", "owner": None, "painter": None, "room": "r2", "value": 90, "insurer": "h3", "similar": ["s1"]},
    ],
    Sculpture=[
        {"id": "s1", "title": "Thinker", "owner": "h1", "material": "BRONZE", "room": "r1", "value": 7, "similar": None},
        {"id": "s2", "title": "Torso", "owner": "h2", "material": "MARBLE", "room": "r1", "value": None, "similar": ["s1", "p1", "v2"]},
    ],
    Video=[
        {"id": "v1", "title": "Loop", "minutes": 3, "room": "r2", "similar": []},
        {"id": "v2", "title": "Static", "minutes": None, "room": "r1", "similar": ["v1", "p2"]},
    ],
    Person=[
        {"id": "h1", "name": "Ada", "insures": [], "phone": "1"},
        {"id": "h2", "name": None, "insures": ["p1"], "phone": None},
        {"id": "h3", "name": "Cleo", "insures": ["p1", "s1", "p2"], "phone": "3"},
    ],
    Room=[
        {"id": "r1", "name": "Hall", "exhibits": ["p1", "s1", "s2", "v2"]},
        {"id": "r2", "name": "Attic", "exhibits": ["v1", "p2"]},
    ],
)
RECORDS = having(FOUND, Exhibit="Painting Sculpture Video", Owned="Painting Sculpture", Insured="Painting Sculpture")
ALL = [str(one["id"]) for one in RECORDS["Exhibit"]]


def some(found: list[str] | None, first: int | None) -> list[str] | None:
    return found if found is None or first is None else found[: abs(first)]


def value(one: Source, currency: str | None) -> str | None:
    return None if one["value"] is None else f"{one['value']} {currency}"


WORLD = World(
    "interfaces",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.exhibits": lambda _: ALL,
                "Query.featured": lambda _: "s2",
                "Query.pick": lambda _, number: ALL[number % len(ALL)],
                "Query.owned": lambda _: ["p1", None, "s1", "s2"],
                "Query.people": lambda _: ["h1", "h2", "h3"],
                "Query.dearest": lambda _: "p1",
                "Query.insured": lambda _, above=None: [o for o in RECORDS["Insured"] if above is None or (o["value"] or 0) > above % 600],
                "Query.rooms": lambda _: ["r1", "r2"],
                "Room.exhibits": lambda room, first=None: some(room["exhibits"], first),
                **{f"{one}.similar": lambda source, first: some(source["similar"], first) for one in ("Painting", "Sculpture", "Video")},
                **{f"{one}.value": value for one in ("Painting", "Sculpture")},
            }
        },
    ),
)
