# ruff: noqa: E501 — a request is printed on one line, as long as it is
"""The planner's stages as `citygraph plan --stage` shows them."""

import pytest
from graphql import parse

from graph.composition import Composed, SubgraphSDL, compose
from graph.planner import Planner
from graph.planner.stages import Stage, describe

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])\n'
PRODUCTS = LINK + 'type Query { product: Product } type Product @key(fields: "upc") { upc: ID! price: Int }'
TAX = LINK + 'type Product @key(fields: "upc") { upc: ID! price: Int @external gross: Int @requires(fields: "price") }'


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (
            Stage.GRAPH,
            """\
products: Product
  .upc → ID!
  .price → Int
  ⇒ tax: Product by { upc }
tax: Product
  .upc → ID!
  .gross → Int requires { price }
  ⇒ products: Product by { upc }
products: Query
  .product → Product
tax: Query
""",
        ),
        (
            Stage.PATHS,
            """\
upc
  * products.product.upc  [0:products]
gross if $tax
  * products.product ⇒ tax(product).gross  [0:products, 1:tax]
""",
        ),
        (Stage.FETCHES, "0: products, level 0, root\n1: tax, level 1, product, after 0\n"),
        (
            Stage.PLAN,
            """\
QueryPlan {
  Sequence {
    Fetch(subgraph: "products") {
      { product { upc price } }
    }
    Condition(if: $tax) {
      Flatten(product) {
        Fetch(subgraph: "tax") {
          query($representations: [_Any!]!, $tax: Boolean!) { _entities(representations: $representations) { ... on Product { gross @include(if: $tax) } } }
          $representations ← Product { upc price }
        }
      }
    }
  }
}
""",
        ),
    ],
)
def test_stage_when_asked_for_is_shown_as_text(stage: Stage, expected: str) -> None:
    composed = compose([SubgraphSDL("products", "http://products", PRODUCTS), SubgraphSDL("tax", "http://tax", TAX)])
    assert isinstance(composed, Composed), composed
    planner = Planner(composed.supergraph)

    planning = planner.planning(parse("query ($tax: Boolean!) { product { upc gross @include(if: $tax) } }"), None)

    assert describe(planning, stage) == expected
