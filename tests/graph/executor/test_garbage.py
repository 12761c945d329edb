"""Subgraphs that answer with anything at all: the operation still ends with data that fits the API schema, ready to be written."""

import asyncio
import json
from typing import Any

from graphql import build_schema, execute_sync, parse
from hand_made import CONTEXT, Scripted, call, plan, root, select, steps
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.contracts import OperationKind, SubgraphResponse
from graph.executor import Executor
from graph.json_codec import dumps
from graph.planner.normalize.operation import Fragment
from graph.planner.plan import EntityCall, Fetch, InputField, Representation

API = build_schema(
    """
    scalar JSON
    interface Thing { id: ID! name: String }
    type Product implements Thing { id: ID! name: String stock: Int! extra: JSON parts: [Thing!] grid: [[Int]] }
    type Shop implements Thing { id: ID! name: String }
    type Query { things: [Thing] product: Product }
    """
)
QUERY = """{
  things { __typename id ... on Product { stock extra parts { name } } ... on Shop { name } }
  product { stock grid extra parts { id ... on Product { stock } } }
}"""
PLAN = plan(
    [
        select(
            "things",
            select("__typename"),
            select("id"),
            Fragment("Product", (select("stock"), select("extra"), select("parts", select("name")))),
            Fragment("Shop", (select("name"),)),
        ),
        select(
            "product",
            select("stock"),
            select("grid"),
            select("extra"),
            select("parts", select("id"), Fragment("Product", (select("stock"),))),
        ),
    ],
    root("first", "{ things { __typename id name extra } product { __typename id } }"),
    root("second", "{ product { __typename id extra grid parts { __typename id } } }"),
    Fetch(
        "third",
        "query($r: [_Any!]!, $s: [_Any!]!) { _a: _entities(representations: $r) { ... on Product { stock parts { __typename id name } } } "
        "_b: _entities(representations: $s) { ... on Thing { __typename name } } }",
        OperationKind.QUERY,
        calls=(
            EntityCall("_a", "r", (steps("things"), steps("product"), steps("product.parts")), call("product").representations),
            EntityCall(
                "_b",
                "s",
                (steps("things"),),
                (Representation(None, None, (InputField("id", "id"), InputField("extra", "extra", nullable=True))),),
            ),
        ),
        depends_on=(0, 1),
    ),
)
KEYS = ["__typename", "id", "name", "stock", "extra", "parts", "grid", "things", "product", "_a", "_b"]
LEAVES = st.sampled_from([None, True, 0, 1.5, 2**40, "x", "1", "Product", "Shop", "Thing", "Nowhere"])
TYPED = st.sampled_from(["Product", "Shop", "Thing"])


def garbage() -> st.SearchStrategy[Any]:
    def inside(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        loose = st.dictionaries(st.sampled_from(KEYS), below, max_size=6)
        typed = st.builds(lambda typename, id, rest: {**rest, "__typename": typename, "id": id}, TYPED, LEAVES, loose)
        return st.lists(below, max_size=3) | loose | typed

    return st.recursive(LEAVES, inside, max_leaves=25)


ERRORS = st.lists(
    st.fixed_dictionaries({"message": LEAVES, "path": LEAVES | st.lists(st.sampled_from([0, 1, -1, 9, None, *KEYS]), max_size=5)}) | LEAVES,
    max_size=3,
)
RESPONSES = st.builds(
    SubgraphResponse, st.fixed_dictionaries({}, optional={key: garbage() for key in ("things", "product", "_a", "_b")}) | garbage(), ERRORS
)


@settings(max_examples=400, deadline=None)
@given(RESPONSES, RESPONSES, RESPONSES)
def test_an_operation_over_garbage_ends_with_data_that_fits_the_schema(
    first: SubgraphResponse, second: SubgraphResponse, third: SubgraphResponse
) -> None:
    transports = {name: Scripted({"{": answer}) for name, answer in (("first", first), ("second", second), ("third", third))}

    outcome = asyncio.run(Executor(API, transports).run(PLAN, {}, CONTEXT))

    written = json.loads(dumps({"data": outcome.data, "errors": outcome.errors}))
    if written["data"] is not None:
        again = execute_sync(API, parse(QUERY), with_types(written["data"]))
        assert again.errors is None
        assert again.data == written["data"]
    assert all(isinstance(error["message"], str) and error["extensions"]["code"] for error in written["errors"])


def with_types(data: dict[str, Any]) -> dict[str, Any]:
    """The answer as a source for graphql-core, which needs the types that the query did not ask for."""
    product = data.get("product")
    for part in (product or {}).get("parts") or ():
        part["__typename"] = "Product" if "stock" in part else "Shop"
    for thing in data.get("things") or ():
        for part in (thing or {}).get("parts") or ():
            part["__typename"] = "Shop"
    return data
