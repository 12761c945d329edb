"""A factory: compound and nested keys, several keys, and chains of them; entities that can be reached by one key only."""

from collections.abc import Callable

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour, Reference
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "orders": """
type Query { orders: [Order!]!  part(sku: ID): Part }
type Order @key(fields: "id") { id: ID!  lines: [Line!]!  first: Part }
type Line { count: Int!  part: Part! }
type Part @key(fields: "sku") { sku: ID! }
""",
    "parts": """
type Part @key(fields: "sku") @key(fields: "number maker { code }") {
  sku: ID!  number: Int!  maker: Maker!  name: String
}
type Maker @key(fields: "code") { code: String! }
""",
    "makers": """
type Query { makers: [Maker!]  grid: [[Machine!]] }
type Maker @key(fields: "code") @key(fields: "tax { country number }") {
  code: String!  tax: Tax!  name: String!  parts: [Part!]  machines: [Machine!]!
}
type Tax { country: String!  number: Int! }
type Part @key(fields: "number maker { code }") { number: Int!  maker: Maker!  drawing: Drawing }
type Drawing @key(fields: "part { number maker { code } } sheet") { part: Part!  sheet: Int! }
type Machine @key(fields: "serials") { serials: [Int!]!  builder: Maker! }
""",
    "tax": """
type Query { debtors: [Maker!]! }
type Maker @key(fields: "tax { country number }") { tax: Tax!  owes: Float  paidBy: Part }
type Tax @shareable { country: String!  number: Int!  rate: Float }
type Part @key(fields: "number maker { code }", resolvable: false) { number: Int!  maker: Maker! }
extend type Maker { code: String! @shareable }
""",
    "archive": """
type Drawing @key(fields: "part { number maker { code } } sheet") { part: Part!  sheet: Int!  drawnBy: String  next: Drawing }
type Part @shareable { number: Int!  maker: Maker! }
type Maker @shareable { code: String! }
type Machine @key(fields: "serials") { serials: [Int!]!  bought: Int  parts: [Order] }
type Order @key(fields: "id", resolvable: false) { id: ID! }
""",
}
FOUND = records(
    Maker=[
        {"id": "k1", "code": "k1", "tax": {"country": "FI", "number": 1, "rate": 0.2}, "name": "Kone", "owes": 5.5, "paidBy": "s1",
         "parts": ["s1", "s2"], "machines": ["g1"]},
        {"id": "k2", "code": "k2", "tax": {"country": "SE", "number": 1, "rate": None}, "name": "Kran", "owes": None, "paidBy": None,
         "parts": None, "machines": ["g1", "g2"]},
    ],
    Part=[
        {"id": "s1", "sku": "s1", "number": 1, "maker": "k1", "name": "bolt", "drawing": "d1"},
        {"id": "s2", "sku": "s2", "number": 2, "maker": "k1", "name": None, "drawing": None},
        {"id": "s3", "sku": "s3", "number": 1, "maker": "k2", "name": "nut", "drawing": "d2"},
    ],
    Drawing=[
        {"id": "d1", "part": "s1", "sheet": 1, "drawnBy": "Eero", "next": "d2"},
        {"id": "d2", "part": "s3", "sheet": 1, "drawnBy": None, "next": None},
    ],
    Machine=[
        {"id": "g1", "serials": [1, 2], "builder": "k1", "bought": 1999, "parts": ["o1", None]},
        {"id": "g2", "serials": [], "builder": "k2", "bought": None, "parts": None},
    ],
    Order=[
        {"id": "o1", "lines": [{"count": 2, "part": "s1"}, {"count": 1, "part": "s3"}], "first": "s1"},
        {"id": "o2", "lines": [], "first": None},
    ],
)  # fmt: skip
RECORDS = having(FOUND)


Matches = Callable[[Record, Record], bool]


def reference(typename: str, matches: Matches) -> Reference:
    return lambda representation: next((one for one in RECORDS[typename] if matches(one, representation)), None)


def is_part(one: Record, representation: Record) -> bool:
    if "sku" in representation:
        return bool(one["sku"] == representation["sku"])
    return bool(one["number"] == representation["number"] and one["maker"] == representation["maker"]["code"])


def is_drawing(one: Record, representation: Record) -> bool:
    part = next(part for part in RECORDS["Part"] if part["id"] == one["part"])
    return one["sheet"] == representation["sheet"] and is_part(part, representation["part"])


WORLD = World(
    "keys",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.orders": lambda _: ["o1", "o2"],
                "Query.part": lambda _, sku=None: ("s1", "s2", "s3", None)[len(sku or "") % 4],
                "Query.makers": lambda _: ["k1", "k2"],
                "Query.grid": lambda _: [["g1", "g2"], None, []],
                "Query.debtors": lambda _: ["k2", "k1"],
            }
        },
        {"*": {"Part": reference("Part", is_part), "Drawing": reference("Drawing", is_drawing)}},
    ),
)
