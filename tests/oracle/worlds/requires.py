"""A parcel service: chains of `@requires`, with arguments, nested objects, lists, and fragments on interfaces and unions."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour, Source
from tests.oracle.world import World, having, records

SUBGRAPHS = {
    "parcels": """
type Query { parcels: [Parcel!]!  parcel(id: ID!): Parcel  items: [Item!] }
enum Unit { G KG }
type Parcel @key(fields: "id") {
  id: ID!  weight(unit: Unit! = KG): Float  box: Box!  contents: [Content!]!  wrapping: Wrapping  items: [Item!]  sender: Sender
}
type Box { width: Int!  height: Int  lid: Lid }
type Lid { colour: String  locked: Boolean! }
union Content = Glass | Liquid | Paper
type Glass { thickness: Int! }
type Liquid { litres: Float  flask: Box }
type Paper { sheets: Int @shareable }
interface Wrapping { layers: Int! }
type Foil implements Wrapping { layers: Int!  bubbles: Boolean }
type Cloth implements Wrapping { layers: Int!  woven: String }
type Item @key(fields: "id") { id: ID!  price: Int }
type Sender @key(fields: "id") { id: ID!  country: String! }
""",
    "rates": """
type Parcel @key(fields: "id") {
  id: ID!
  weight(unit: Unit! = KG): Float @external
  box: Box! @external
  contents: [Content!]! @external
  wrapping: Wrapping @external
  items: [Item!] @external
  postage: Int @requires(fields: "weight(unit: G) box { width height lid { locked } }")
  handling(care: Int = 1): String @requires(fields: "contents { ... on Glass { thickness } ... on Liquid { litres flask { width } } }")
  padding: String! @requires(fields: "wrapping { layers ... on Foil { bubbles } }")
  worth: Int @requires(fields: "items { price }")
}
enum Unit { G KG }
type Box { width: Int! @external  height: Int @external  lid: Lid @external }
type Lid { locked: Boolean! @external }
union Content = Glass | Liquid | Paper
type Glass { thickness: Int! @external }
type Liquid { litres: Float @external  flask: Box @external }
type Paper { sheets: Int @shareable }
interface Wrapping { layers: Int! }
type Foil implements Wrapping { layers: Int! @external  bubbles: Boolean @external }
type Cloth implements Wrapping { layers: Int! @external }
type Item @key(fields: "id") { id: ID!  price: Int @external  tax: Int @requires(fields: "price") }
type Sender @key(fields: "id") { id: ID!  discount: Int! }
""",
    "labels": """
type Query { heaviest: Parcel }
type Parcel @key(fields: "id") {
  id: ID!
  postage: Int @external
  handling(care: Int = 1): String @external
  items: [Item!] @external
  sender: Sender @external
  label: String! @requires(fields: "postage handling(care: 3)")
  declaration: [String!] @requires(fields: "items { id tax } sender { country discount }")
  twin: Parcel
}
type Item @key(fields: "id") { id: ID!  tax: Int @external  label: String @requires(fields: "tax") }
type Sender @key(fields: "id") { id: ID!  country: String! @external  discount: Int! @external }
""",
    "insurance": """
type Parcel @key(fields: "id") {
  id: ID!
  label: String! @external
  worth: Int @external
  weight(unit: Unit! = KG): Float @external
  policy: Policy @requires(fields: "label worth weight(unit: KG)")
}
enum Unit { G KG }
type Policy { text: String!  parcel: Parcel! }
""",
}
BOX = {"width": 3, "height": 4, "lid": {"colour": "red", "locked": True}}
FOUND = records(
    Parcel=[
        {
            "id": "p1", "kilos": 1.5, "box": BOX, "wrapping": {"__typename": "Foil", "layers": 2, "bubbles": True},
            "contents": [{"__typename": "Glass", "thickness": 2}, {"__typename": "Liquid", "litres": 0.5, "flask": BOX}],
            "items": ["i1", "i2"], "sender": "s1", "twin": "p2",
        },
        {
            "id": "p2", "kilos": None, "box": {"width": 1, "height": None, "lid": None}, "wrapping": None,
            "contents": [{"__typename": "Paper", "sheets": 9}, {"__typename": "Liquid", "litres": None, "flask": None}],
            "items": None, "sender": None, "twin": None,
        },
        {
            "id": "p3", "kilos": 7.0, "box": BOX, "wrapping": {"__typename": "Cloth", "layers": 1, "woven": "tight"},
            "contents": [], "items": [], "sender": "s2", "twin": "p3",
        },
    ],
    Item=[{"id": "i1", "price": 10}, {"id": "i2", "price": None}],
    Sender=[{"id": "s1", "country": "FI", "discount": 5}, {"id": "s2", "country": "EE", "discount": 0}],
)  # fmt: skip
RECORDS = having(FOUND)


def weight(parcel: Source, unit: str) -> float | None:
    return None if parcel["kilos"] is None else parcel["kilos"] * (1000 if unit == "G" else 1)


def postage(parcel: Source) -> int | None:
    box = parcel.inputs["box"]
    grams = parcel.inputs["weight"]
    locked = box["lid"] is not None and box["lid"]["locked"]
    return None if grams is None else int(grams) + box["width"] * (box["height"] or 1) + locked


def handling(parcel: Source, care: int | None) -> str:
    parts = []
    for content in parcel.inputs["contents"]:
        match content["__typename"]:
            case "Glass":
                parts.append(f"glass {content['thickness']}")
            case "Liquid":
                parts.append(f"liquid {content['litres']} {content['flask'] and content['flask']['width']}")
            case _:
                parts.append("other")
    return f"{care}: {', '.join(parts)}"


def padding(parcel: Source) -> str:
    wrapping = parcel.inputs["wrapping"]
    return "none" if wrapping is None else f"{wrapping['layers']} {wrapping.get('bubbles')}"


def worth(parcel: Source) -> int | None:
    items = parcel.inputs["items"]
    return None if items is None else sum(one["price"] or 0 for one in items)


def declaration(parcel: Source) -> list[str] | None:
    items, sender = parcel.inputs["items"], parcel.inputs["sender"]
    head = "unknown" if sender is None else f"{sender['country']} -{sender['discount']}"
    return None if items is None else [head, *(f"{one['id']} {one['tax']}" for one in items)]


def policy(parcel: Source) -> dict[str, Any] | None:
    inputs = parcel.inputs
    if inputs["worth"] is None:
        return None
    return {"text": f"{inputs['label']} / {inputs['worth']} / {inputs['weight']}", "parcel": parcel["id"]}


WORLD = World(
    "requires",
    SUBGRAPHS,
    Behaviour(
        RECORDS,
        {
            "*": {
                "Query.parcels": lambda _: ["p1", "p2", "p3"],
                "Query.parcel": lambda _, id: ["p1", None, "p2", "p3"][len(id) % 4],
                "Query.items": lambda _: ["i1", "i2"],
                "Query.heaviest": lambda _: "p3",
                "Parcel.weight": weight,
                "Parcel.postage": postage,
                "Parcel.handling": handling,
                "Parcel.padding": padding,
                "Parcel.worth": worth,
                "Parcel.label": lambda parcel: f"{parcel.inputs['postage']} {parcel.inputs['handling']}",
                "Parcel.declaration": declaration,
                "Parcel.policy": policy,
                "Item.tax": lambda item: None if item.inputs["price"] is None else item.inputs["price"] // 4,
                "Item.label": lambda item: f"tax {item.inputs['tax']}",
            }
        },
    ),
)
