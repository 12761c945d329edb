"""A library: unions whose members differ from subgraph to subgraph, and hold entities, value types and types of one subgraph alone."""

from tests.federation_audit.subgraph import Behaviour
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "search": """
type Query { search(text: String): [Found!]!  first: Found  shelf: Shelf!  matrix: [[Found]!] }
union Found = Book | Film | Note
type Book @key(fields: "id") { id: ID!  title: String! }
type Film @key(fields: "id") { id: ID!  title: String! @shareable  length: Int }
type Note { text: String!  about: Found }
type Shelf @key(fields: "id") { id: ID!  top: Found }
""",
    "lending": """
type Query { lent: [Lendable]  borrowers: [Borrower!]! }
union Lendable = Book | Film | Song
union Found = Book | Film
type Book @key(fields: "id") { id: ID!  lentTo: Borrower  alike: [Found!]! }
type Film @key(fields: "id") { id: ID!  lentTo: Borrower  fee: Float! }
type Song @key(fields: "id") { id: ID!  seconds: Int! }
type Shelf @key(fields: "id") { id: ID!  lendable: [Lendable!] }
type Borrower @key(fields: "id") { id: ID!  name: String!  has: [Lendable!]! }
""",
    "reviews": """
type Book @key(fields: "id") { id: ID!  review: Review }
type Film @key(fields: "id") { id: ID!  review: Review }
type Song @key(fields: "id") { id: ID!  title: String!  review: Review }
type Borrower @key(fields: "id") { id: ID!  reviewed: [Subject!]! }
union Subject = Song | Book
union Review = Stars | Words
type Stars { stars: Int!  subject: Subject }
type Words { words: String!  subject: Subject }
""",
}
FOUND = records(
    Book=[
        {"id": "b1", "title": "One", "lentTo": "w1", "alike": ["f1", "b2"], "review": {"__typename": "Stars", "stars": 4, "subject": "b2"}},
        {"id": "b2", "title": "Two", "lentTo": None, "alike": [], "review": None},
    ],
    Film=[
        {
            "id": "f1",
            "title": "Run",
            "length": 90,
            "lentTo": "w2",
            "fee": 1.5,
            "review": {"__typename": "Words", "words": "!", "subject": "x1"},
        },
        {"id": "f2", "title": "Sit", "length": None, "lentTo": "w1", "fee": 2.0, "review": None},
    ],
    Song=[
        {"id": "x1", "title": "La", "seconds": 60, "review": {"__typename": "Stars", "stars": 1, "subject": None}},
        {"id": "x2", "title": "Lu", "seconds": 5, "review": {"__typename": "Words", "words": "?", "subject": "x1"}},
    ],
    Borrower=[
        {"id": "w1", "name": "Wim", "has": ["b1", "f2", "x1"], "reviewed": ["b1", "x2"]},
        {"id": "w2", "name": "Ute", "has": ["f1"], "reviewed": []},
    ],
    Shelf=[{"id": "h1", "top": "b1", "lendable": ["x2", "b2", "f1"]}],
)
RECORDS = having(FOUND, Found="Book Film", Lendable="Book Film Song", Subject="Song Book")
NOTE = {"__typename": "Note", "text": "see", "about": "b2"}
FAR_NOTE = {"__typename": "Note", "text": "see also", "about": NOTE}

WORLD = World(
    "unions",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.search": lambda _, text=None: ["b1", "f1", NOTE, "b2", "f2", FAR_NOTE][: len(text or "12345") + 1],
                "Query.first": lambda _: "f1",
                "Query.shelf": lambda _: "h1",
                "Query.matrix": lambda _: [["b1", None, NOTE], [], ["f2"]],
                "Query.lent": lambda _: ["b1", "x1", None, "f2"],
                "Query.borrowers": lambda _: ["w1", "w2"],
            }
        },
    ),
)
