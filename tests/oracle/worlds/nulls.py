"""A workshop where much is missing or broken: nested lists, nulls for nullable and non-null fields, errors, entities that one
subgraph does not know."""

from typing import Any

from graphql import GraphQLError

from tests.federation_audit.subgraph import Behaviour
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "tools": """
type Query {
  tools: [Tool]  strict: [Tool!]  broken: Tool!  drawers: [[Tool!]!]  walls: [[[Tool]!]]!  any: [Thing]  one(number: Int! = 1): Thing
  fails: Int  missing: String!  shelf: Shelf
}
interface Thing { id: ID!  label: String }
type Tool implements Thing @key(fields: "id") { id: ID!  label: String  size: Int!  owner: Person  users: [Person!] }
type Part implements Thing @key(fields: "id") { id: ID!  label: String  fits: Tool! }
type Person @key(fields: "id") { id: ID!  name: String! }
type Shelf { tools: [Tool!]!  matrix: [[Int!]]  label: String! }
""",
    "stock": """
type Query { orders: [Order!]! }
type Tool @key(fields: "id") { id: ID!  price: Int!  spare: [Part!]  supplier: Person!  notes: [[String!]!]  history: [Order] }
type Part @key(fields: "id") { id: ID!  price: Int  stores: [[Person]!] }
type Order @key(fields: "id") { id: ID!  tool: Tool!  lines: [Line!]! }
type Line { count: Int!  part: Part }
type Person @key(fields: "id", resolvable: false) { id: ID! }
""",
    "people": """
type Query { people: [Person]! }
type Person @key(fields: "id") { id: ID!  boss: Person  phone: String!  skills: [String]!  team: [Person!] }
""",
}
ERROR = "error"
"""In the place of a value: the field raises."""
FOUND = records(
    Tool=[
        {"id": "t1", "label": "saw", "size": 1, "owner": "h1", "users": ["h1", "h2"], "price": 5, "spare": ["p1", "p2"], "supplier": "h1",
         "notes": [["a"], []], "history": ["o1", None]},
        {"id": "t2", "label": ERROR, "size": 2, "owner": "h2", "users": None, "price": None, "spare": None, "supplier": "h2",
         "notes": [["a", None]], "history": []},
        {"id": "t3", "label": None, "size": ERROR, "owner": ERROR, "users": ["h3"], "price": 7, "spare": ERROR, "supplier": ERROR,
         "notes": ERROR, "history": ["o2"]},
        {"id": "t4", "label": "axe", "size": 3, "owner": "h3", "users": ["h9"], "price": ERROR, "spare": ["p3"], "supplier": "h3",
         "notes": None, "history": ERROR},
    ],
    Part=[
        {"id": "p1", "label": "bit", "fits": "t1", "price": 1, "stores": [["h1", None], []]},
        {"id": "p2", "label": ERROR, "fits": ERROR, "price": ERROR, "stores": [None]},
        {"id": "p3", "label": None, "fits": None, "price": None, "stores": [["h2"], ["h9"]]},
    ],
    Person=[
        {"id": "h1", "name": "Ada", "boss": None, "phone": "1", "skills": ["x", None], "team": ["h2"]},
        {"id": "h2", "name": None, "boss": "h1", "phone": ERROR, "skills": [], "team": ["h3", "h1"]},
        {"id": "h3", "name": "Cy", "boss": ERROR, "phone": None, "skills": None, "team": None},
        {"id": "h9", "name": "Ghost", "boss": None, "phone": None, "skills": None, "team": None},
    ],
    Order=[
        {"id": "o1", "tool": "t1", "lines": [{"count": 1, "part": "p1"}, {"count": 2, "part": None}]},
        {"id": "o2", "tool": "t2", "lines": [{"count": 1, "part": "p2"}]},
        {"id": "o3", "tool": "t4", "lines": []},
    ],
)  # fmt: skip
RECORDS = having(FOUND, Thing="Tool Part")
SHELF = {"tools": ["t1", "t2"], "matrix": [[1], None, [2, None]], "label": "top"}


def fail(*_: Any, **__: Any) -> Any:
    raise GraphQLError("broken")


def read(name: str) -> Any:
    return lambda source, **_: fail() if source[name] == ERROR else source[name]


def unknown(representation: Any) -> Any:
    """The subgraph has never heard of the ghost."""
    return next((one for one in RECORDS["Person"] if one["id"] == representation["id"] and one["id"] != "h9"), None)


WORLD = World(
    "nulls",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.tools": lambda _: ["t1", "t2", None, "t3", "t4"],
                "Query.strict": lambda _: ["t4", "t1"],
                "Query.broken": lambda _: "t3",
                "Query.drawers": lambda _: [["t1"], ["t2", "t4"], []],
                "Query.walls": lambda _: [[["t1", None], []], None, [["t2"]]],
                "Query.any": lambda _: ["t1", "p1", None, "p2", "t3", "p3"],
                "Query.one": lambda _, number: ("t1", "p1", "t2", "p2", None)[number % 5],
                "Query.fails": fail,
                "Query.missing": lambda _: None,
                "Query.shelf": lambda _: SHELF,
                "Query.orders": lambda _: ["o1", "o2", "o3"],
                "Query.people": lambda _: ["h1", "h2", None, "h3", "h9"],
                **{
                    f"{of_type}.{name}": read(name)
                    for of_type, found in FOUND.items()
                    for name in found[0]
                    if name not in ("id", "__typename")
                },
            }
        },
        {"people": {"Person": unknown}},
    ),
)
