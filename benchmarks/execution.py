"""How fast the executor's own work is, as ratios within one run: `python benchmarks/execution.py`.

The projection is held against graphql-core completing the same data with default resolvers, which is what a gateway would do that
lets graphql-core shape its answers. The whole operation (two fetches, representations, merge, projection, JSON) runs over transports that
answer at once with JSON text, so that what remains is the executor.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

from graphql import build_schema, execute_sync, parse

from graph.contracts import OperationKind, Principal, RequestContext, SubgraphRequest, SubgraphResponse
from graph.executor import Executor
from graph.executor.faults import Faults
from graph.executor.projection import Projection
from graph.executor.projection.completion import Hidden
from graph.json_codec import dumps, loads
from graph.planner.normalize.operation import Field, Operation
from graph.planner.plan import EntityCall, Fetch, InputField, PathSegment, Plan, Representation

SCHEMA = build_schema(
    """
    type Query { users: [User!]! }
    type User { id: ID! name: String username: String! reviews: [Review!] }
    type Review { id: ID! body: String rating: Int! product: Product }
    type Product { upc: ID! name: String price: Int weight: Float inStock: Boolean }
    """
)
QUERY = "{ users { id name username reviews { id body rating product { upc name price weight inStock } } } }"
USERS, REVIEWS, PRODUCTS = 20, 20, 40


def users(*, with_products: bool) -> list[dict[str, Any]]:
    def product(number: int) -> dict[str, Any]:
        key = {"__typename": "Product", "upc": str(number)}
        return {**key, **details(number)} if with_products else key

    def reviews(user: int) -> list[dict[str, Any]]:
        return [
            {"id": f"{user}-{one}", "body": "as good as it gets " * 5, "rating": one % 5, "product": product((user + one) % PRODUCTS)}
            for one in range(REVIEWS)
        ]

    return [{"id": str(user), "name": f"User {user}", "username": f"user{user}", "reviews": reviews(user)} for user in range(USERS)]


def details(number: int) -> dict[str, Any]:
    return {"name": f"Product {number}", "price": number * 10, "weight": number / 2, "inStock": number % 2 == 0}


def field(name: str, *selections: Field) -> Field:
    return Field(name, name, name, selections=selections)


def operation() -> Operation:
    product = field("product", *map(field, ("upc", "name", "price", "weight", "inStock")))
    reviews = field("reviews", field("id"), field("body"), field("rating"), product)
    return Operation(OperationKind.QUERY, None, (field("users", field("id"), field("name"), field("username"), reviews),))


def plan() -> Plan:
    path = tuple(map(PathSegment, ("users", "reviews", "product")))
    call = EntityCall("_entities", "r", (path,), (Representation(frozenset({"Product"}), None, (InputField("upc", "upc"),)),))
    entities = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name price weight inStock } } }"
    root = "{ users { id name username reviews { id body rating product { __typename upc } } } }"
    fetches = (Fetch("reviews", root, OperationKind.QUERY), Fetch("products", entities, OperationKind.QUERY, (), (call,), (0,)))
    return Plan(operation(), fetches)


class Instant:
    """Answers at once with JSON text made beforehand: entities in the order in which the executor meets them."""

    def __init__(self, answer: Any) -> None:
        self._text = dumps(answer)

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        dumps(request.variables)
        return SubgraphResponse(loads(self._text))

    async def close(self) -> None:
        return None


def best(run: Callable[[], object], rounds: int = 60) -> float:
    """The quickest of the rounds, in milliseconds: what the machine's other work did not touch."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times) * 1000


async def best_operation(executor: Executor, plan: Plan, context: RequestContext, rounds: int = 60) -> float:
    """As `best`, within a running loop."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        outcome = await executor.run(plan, {}, context)
        dumps({"data": outcome.data})
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def main() -> None:
    tree = {"users": users(with_products=True)}
    projection, document = Projection(SCHEMA, operation(), Hidden()), parse(QUERY)
    projected = projection.run(tree, {}, Faults(100), lambda _path: None)
    assert projected == execute_sync(SCHEMA, document, tree).data

    met = dict.fromkeys((user + one) % PRODUCTS for user in range(USERS) for one in range(REVIEWS))
    transports = {"reviews": Instant({"users": users(with_products=False)}), "products": Instant({"_entities": list(map(details, met))})}
    executor, planned, context = Executor(SCHEMA, transports), plan(), RequestContext(Principal("ada", "tenant"), "benchmark")
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # what was there before an answer is not looked through while it is made
    outcome = asyncio.run(executor.run(planned, {}, context))
    assert (outcome.data, outcome.errors) == (projected, [])
    whole = asyncio.run(best_operation(executor, planned, context))

    generated = best(lambda: projection.run(tree, {}, Faults(100), lambda _path: None))
    core = best(lambda: execute_sync(SCHEMA, document, tree), rounds=15)
    print(f"answer                  {len(dumps(projected)) / 1000:8.1f} kB, {USERS * REVIEWS * 2 + USERS} objects")
    print(f"graphql-core completes  {core:8.3f} ms")
    print(f"generated projection    {generated:8.3f} ms   {core / generated:.0f} times as fast")
    print(f"the whole operation     {whole:8.3f} ms   {whole / generated:.1f} projections")


if __name__ == "__main__":
    main()
