"""A zoo of names: fields of one name whose types differ from type to type, and in one subgraph but not the other; enums, input
objects, lists and custom scalars as arguments."""

import json
from typing import Any

from tests.federation_audit.subgraph import Behaviour
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "animals": """
type Query {
  animals(filter: Filter): [Animal!]!
  pets: [Pet]
  echo(value: Filter, list: [[Int]!], data: JSON, kind: Kind! = TAME): String
  oldest: Animal
}
scalar JSON
enum Kind { TAME WILD }
input Filter { kind: Kind = TAME  ages: Range  names: [String!]  not: Filter }
input Range { from: Int! = 0  to: Int }
union Animal = Cat | Dog | Fish
interface Pet { id: ID!  name: String }
type Cat implements Pet @key(fields: "id") { id: ID!  name: String @shareable  size: Int!  kind: Kind!  food: [String!] }
type Dog implements Pet @key(fields: "id") { id: ID!  name: String! @shareable  size: Int  kind: Kind  food: [String!]! }
type Fish @key(fields: "id") { id: ID!  name: String!  size: Int  food: [String]  depth(unit: Kind): Float }
""",
    "owners": """
type Query { owners: [Owner!]!  households: [Household!] }
enum Kind { TAME WILD }
interface Pet { id: ID!  name: String }
type Cat implements Pet @key(fields: "id") { id: ID!  name: String @shareable  owner: Owner!  note(text: String = "-"): String }
type Dog implements Pet @key(fields: "id") { id: ID!  name: String @shareable  owner: Owner  note(text: String = "+"): String! }
type Fish @key(fields: "id") { id: ID!  owner: [Owner!]!  kind: String }
union Household = Owner | Flat
type Owner @key(fields: "id") { id: ID!  name: [String!]  pets: [Pet!]!  size: String }
type Flat { name: String!  pets(kind: Kind): [Pet]  size: Float! }
""",
    "vets": """
union Patient = Cat | Dog | Owner
interface Animate { size: Int }
type Cat @key(fields: "id") { id: ID!  weight: Float!  doctor: Vet!  chip: ID }
type Dog @key(fields: "id") { id: ID!  weight: Float  doctor: Vet  chip: ID! }
type Fish @key(fields: "id") { id: ID!  weight: Float!  chip: ID }
type Owner @key(fields: "id") { id: ID!  doctor: [Vet!]  chip: ID }
type Vet { name: String!  patients: [Patient!]! }
""",
}
VET = {"name": "Vera", "patients": ["c1", "o1", "d1"]}
FOUND = records(
    Cat=[{"id": "c1", "name": "Misu", "size": 3, "kind": "TAME", "food": None, "owner": "o1", "weight": 4.0, "doctor": VET, "chip": None}],
    Dog=[
        {
            "id": "d1",
            "name": "Rex",
            "size": None,
            "kind": None,
            "food": ["bone"],
            "owner": None,
            "weight": None,
            "doctor": None,
            "chip": "x",
        },
        {"id": "d2", "name": "Max", "size": 9, "kind": "WILD", "food": [], "owner": "o2", "weight": 9.5, "doctor": VET, "chip": "y"},
    ],
    Fish=[{"id": "f1", "name": "Nemo", "size": 1, "food": ["a", None], "owner": ["o1"], "kind": "gold", "weight": 0.1, "chip": None}],
    Owner=[
        {"id": "o1", "name": ["Ann", "Lee"], "pets": ["c1", "d1"], "size": "tall", "doctor": [VET], "chip": None},
        {"id": "o2", "name": None, "pets": [], "size": None, "doctor": None, "chip": "z"},
    ],
)
RECORDS = having(FOUND, Animal="Cat Dog Fish", Pet="Cat Dog", Patient="Cat Dog Owner")
FLAT = {"__typename": "Flat", "name": "A 1", "size": 60.5, "pets": ["d2", "c1", None]}


def kept(one: Any, wanted: dict[str, Any] | None) -> bool:
    if wanted is None:
        return True
    if wanted.get("kind") is not None and one.get("kind") not in (wanted["kind"], None):
        return False
    return not kept(one, wanted["not"]) if wanted.get("not") else True


def pets(flat: Any, kind: str | None = None) -> list[str | None]:
    return [one for one in flat["pets"] if kind is None or one != "d2"]


WORLD = World(
    "clashes",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.animals": lambda _, filter=None: [one for one in RECORDS["Animal"] if kept(one, filter)],
                "Query.pets": lambda _: ["c1", None, "d1", "d2"],
                "Query.oldest": lambda _: "f1",
                "Query.echo": lambda _, **arguments: json.dumps(arguments, sort_keys=True),
                "Query.owners": lambda _: ["o1", "o2"],
                "Query.households": lambda _: ["o1", FLAT, "o2"],
                "Fish.depth": lambda _, unit=None: 2.5 if unit is None else 1.5,
                "Cat.note": lambda cat, text: text,
                "Dog.note": lambda dog, text: f"{dog['name']} {text}",
                "Flat.pets": pets,
            }
        },
    ),
)
