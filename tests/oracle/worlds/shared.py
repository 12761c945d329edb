"""A town: root fields of several subgraphs, value types that are split over them, shareable and overridden fields."""

from tests.federation_audit.subgraph import Behaviour
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "town": """
type Query { town: Town @shareable  mayor: Person @shareable  square(number: Int! = 0): Square }
type Town @shareable { name: String!  centre: Point!  founded: Date  flag: Flag }
type Point @shareable { x: Int! }
type Date @shareable { year: Int!  month: Int }
type Flag { colours: [Colour!]! }
enum Colour { BLUE WHITE }
type Person @key(fields: "id") { id: ID!  name: String! @shareable  born: Date  home: Square }
type Square @key(fields: "name") { name: String!  level: Int  trees: Int }
""",
    "map": """
type Query { town: Town @shareable  nearest(x: Int, y: Int): Square }
type Town @shareable { name: String!  centre: Point!  area: Area }
type Point @shareable { x: Int!  y: Int! }
type Area { hectares: Float  around: [Point!]! }
type Square @key(fields: "name") { name: String!  centre: Point!  trees: Int @override(from: "town") }
""",
    "people": """
type Query { town: Town @shareable  mayor: Person @shareable  people(first: Int): [Person!]! }
type Town @shareable { population: Int  mayor: Person  founded: Date }
type Date @shareable { year: Int!  month: Int }
type Person @key(fields: "id") { id: ID!  name: String! @shareable  friends: [Person!]  married: Date  favourite: Square }
type Square @key(fields: "name", resolvable: false) { name: String! }
""",
}
FOUND = records(
    Person=[
        {
            "id": "1",
            "name": "Ada",
            "born": {"year": 1950, "month": 5},
            "friends": ["2"],
            "married": None,
            "home": "Old",
            "favourite": "New",
        },
        {
            "id": "2",
            "name": "Bo",
            "born": None,
            "friends": ["1", "3"],
            "married": {"year": 1980, "month": None},
            "home": None,
            "favourite": None,
        },
        {"id": "3", "name": "Cy", "born": {"year": 2001, "month": 1}, "friends": None, "married": None, "home": "New", "favourite": "Old"},
    ],
    Square=[
        {"name": "Old", "level": 1, "centre": {"x": 1, "y": 3}, "trees": 5},
        {"name": "New", "level": None, "centre": {"x": 7, "y": 7}, "trees": None},
    ],
)
RECORDS = having({**FOUND, "Square": [{**one, "id": one["name"]} for one in FOUND["Square"]]})
TOWN = {
    "name": "Turku",
    "centre": {"x": 4, "y": 5},
    "founded": {"year": 1229, "month": None},
    "flag": {"colours": ["BLUE", "WHITE"]},
    "area": {"hectares": 24.5, "around": [{"x": 0, "y": 0}, {"x": 9, "y": 9}]},
    "population": 200_000,
    "mayor": "1",
}

WORLD = World(
    "shared",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.town": lambda _: TOWN,
                "Query.mayor": lambda _: "1",
                "Query.square": lambda _, number: ["Old", "New", None][number % 3],
                "Query.nearest": lambda _, x=None, y=None: "Old" if (x or 0) < (y or 0) else "New",
                "Query.people": lambda _, first=None: ["1", "2", "3"][: 3 if first is None else abs(first)],
            }
        },
    ),
)
