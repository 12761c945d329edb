"""A bank: mutations in several subgraphs, whose order shows, and what hangs on their answers.

What a mutation changes is told by fields of the same request alone: neighbours in one subgraph share their requests, so what is
fetched after them sees the effects of both.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.federation_audit.subgraph import Behaviour
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "accounts": """
type Query { accounts: [Account!]! }
type Mutation {
  deposit(account: ID!, amount: Int!): Receipt!
  rename(input: RenameInput!): Account
  close(account: ID!): Boolean
}
input RenameInput { account: ID!  name: String = "none"  tags: [Tag!] }
enum Tag { OLD NEW }
type Receipt { number: Int!  total: Int!  account: Account! }
type Account @key(fields: "id") { id: ID!  name: String! }
""",
    "cards": """
type Query { cards: [Card] }
type Mutation { order(account: ID!, kind: Kind = GOLD): Order  block(card: ID!): Card }
enum Kind { GOLD PLAIN }
type Order { number: Int!  kind: Kind!  card: Card  account: Account! }
type Card @key(fields: "id") { id: ID!  kind: Kind!  account: Account! }
type Account @key(fields: "id") { id: ID!  cards(first: Int): [Card!] }
""",
    "people": """
type Mutation { greet(name: String): String! }
type Account @key(fields: "id") { id: ID!  name: String! @external  owner: Person  motto: String @requires(fields: "name") }
type Card @key(fields: "id") { id: ID!  holder: Person! }
type Person { name: String!  accounts: [Account!]! }
""",
}
OWNER = {"name": "Ada", "accounts": ["a1", "a2"]}
FOUND = records(
    Account=[
        {"id": "a1", "name": "daily", "owner": OWNER, "cards": ["c1", "c2"]},
        {"id": "a2", "name": "spare", "owner": None, "cards": None},
    ],
    Card=[
        {"id": "c1", "kind": "GOLD", "account": "a1", "holder": OWNER},
        {"id": "c2", "kind": "PLAIN", "account": "a2", "holder": OWNER},
    ],
)
RECORDS = having(FOUND)


@dataclass(slots=True)
class Bank:
    """Every mutation counts, so that each tells how many came before it."""

    done: int = 0
    totals: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        self.done, self.totals = 0, {}

    def next(self) -> int:
        self.done += 1
        return self.done


BANK = Bank()


def account(identifier: str) -> str:
    return ("a1", "a2")[len(identifier) % 2]


def deposit(_: Any, account: str, amount: int) -> dict[str, Any]:
    chosen = ("a1", "a2")[len(account) % 2]
    BANK.totals[chosen] = BANK.totals.get(chosen, 0) + amount % 1_000
    return {"number": BANK.next(), "total": BANK.totals[chosen], "account": chosen}


def order(_: Any, account: str, kind: str | None) -> dict[str, Any] | None:
    number = BANK.next()
    if kind is None:
        return None
    return {"number": number, "kind": kind, "card": ("c1", "c2", None)[number % 3], "account": ("a1", "a2")[len(account) % 2]}


def rename(_: Any, input: dict[str, Any]) -> str | None:
    BANK.next()
    return None if input.get("name") is None else account(input["account"] + "".join(input.get("tags") or ()))


def block(_: Any, card: str) -> str:
    BANK.next()
    return ("c1", "c2")[len(card) % 2]


WORLD = World(
    "mutations",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.accounts": lambda _: ["a1", "a2"],
                "Query.cards": lambda _: ["c1", None, "c2"],
                "Mutation.deposit": deposit,
                "Mutation.order": order,
                "Mutation.rename": rename,
                "Mutation.block": block,
                "Mutation.close": lambda _, account: (None, True, False)[BANK.next() % 3],
                "Mutation.greet": lambda _, name=None: f"{name} is number {BANK.next()}",
                "Account.cards": lambda account, first=None: account["cards"] and account["cards"][: 2 if first is None else abs(first)],
                "Account.motto": lambda account: f"{account.inputs['name']}!",
            }
        },
    ),
    BANK.begin,
)
