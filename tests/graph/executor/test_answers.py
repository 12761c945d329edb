"""What subgraphs do wrong, and what the client is told of it: each error once, at its own path, and null for exactly its fields."""

import asyncio
from typing import Any

import pytest
from graphql import build_schema
from hand_made import CONTEXT, Scripted, call, entities, plan, root, run, select, steps

from graph.contracts import OperationKind, SubgraphRequest, SubgraphResponse
from graph.errors import Conflict, SubgraphError
from graph.executor import ExecutionOutcome, Executor, ExecutorLimits
from graph.executor.faults import Faults
from graph.planner.normalize.operation import Field
from graph.planner.plan import EntityCall, Fetch, InputField, Representation

API = """
type Query { products: [Product!] product: Product needed: Product! count: Int }
type Product { id: ID! name: String stock: Int! price: Int shipping: Int! maker: Maker }
type Maker { id: ID! name: String }
"""
TWO = [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]


def error(message: str, path: list[Any], service: str, code: str = "SUBGRAPH_ERROR", **extensions: Any) -> dict[str, Any]:
    return {"message": message, "path": path, "extensions": {**extensions, "code": code, "service": service}}


def shop_of(products: Any) -> Scripted:
    return Scripted({"products": lambda _: SubgraphResponse({"products": [dict(one) for one in products]})})


NAMES_AND_COUNT = plan(
    [select("products", select("id"), select("name", alias="title"), alias="all"), select("count")],
    root("shop", "{ products { __typename id } }"),
    entities("names", "name", "products"),
    root("counts", "{ count }"),
)


async def test_an_unreachable_root_is_an_error_for_each_of_its_fields_and_nothing_else() -> None:
    failing = Scripted({"{": SubgraphError("subgraph 'shop' did not answer")})
    counts = Scripted({"count": SubgraphResponse({"count": 3})})
    query = plan(
        [select("products", select("id"), alias="all"), select("product", select("id")), select("count")],
        root("shop", "{ products { id } product { id } }"),
        root("counts", "{ count }"),
    )

    outcome = await run(API, query, {"shop": failing, "counts": counts})

    assert outcome.data == {"all": None, "product": None, "count": 3}
    message = "subgraph 'shop' did not answer"
    assert outcome.errors == [error(message, ["all"], "shop"), error(message, ["product"], "shop")]


async def test_an_unreachable_entity_subgraph_is_one_error_at_the_first_object() -> None:
    counts = Scripted({"count": SubgraphResponse({"count": 3})})
    names = Scripted({"name": SubgraphError("gone")})

    outcome = await run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": names, "counts": counts})

    assert outcome.data == {"all": [{"id": "1", "title": None}, {"id": "2", "title": None}], "count": 3}
    assert outcome.errors == [error("gone", ["all", 0, "title"], "names")]


async def test_a_failed_fetch_of_a_non_null_field_bubbles_without_a_second_error() -> None:
    query = plan(
        [select("products", select("id"), select("stock")), select("needed", select("stock"))],
        root("shop", "{ products { __typename id } needed { __typename id } }"),
        Fetch(
            "stock",
            "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { stock } } }",
            OperationKind.QUERY,
            calls=(EntityCall("_entities", "r", (steps("products"), steps("needed")), (call("products").representations)),),
            depends_on=(0,),
        ),
    )
    shop = Scripted({"{": SubgraphResponse({"products": [dict(one) for one in TWO], "needed": dict(TWO[1])})})

    outcome = await run(API, query, {"shop": shop, "stock": Scripted({"{": SubgraphError("gone")})})

    assert outcome.data is None
    assert outcome.errors == [error("gone", ["products", 0, "stock"], "stock"), error("gone", ["needed", "stock"], "stock")]


async def test_entity_errors_get_the_clients_path_and_keep_their_code_and_extensions() -> None:
    told = {
        "message": "no name today",
        "path": ["_entities", 1, "name"],
        "locations": [{"line": 1, "column": 1}],
        "extensions": {"code": "CONFLICT", "hint": "later"},
    }
    names = Scripted({"name": SubgraphResponse({"_entities": [{"name": "Table"}, {"name": None}]}, [told])})
    counts = Scripted({"count": SubgraphResponse({"count": 3})})

    outcome = await run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": names, "counts": counts})

    assert outcome.data["all"] == [{"id": "1", "title": "Table"}, {"id": "2", "title": None}]
    assert outcome.errors == [error("no name today", ["all", 1, "title"], "names", "CONFLICT", hint="later")]


async def test_an_error_of_an_aliased_call_is_told_wherever_its_object_stands() -> None:
    parts = [f"_{name}: _entities(representations: ${name}) {{ ... on Product {{ name }} }}" for name in ("a", "b")]
    fetch = Fetch(
        "names",
        f"query($a: [_Any!]!, $b: [_Any!]!) {{ {' '.join(parts)} }}",
        OperationKind.QUERY,
        calls=(call("product", alias="_a", variable="a"), call("products", alias="_b", variable="b")),
        depends_on=(0,),
    )
    query = plan(
        [select("product", select("name")), select("products", select("name"))], root("shop", "{ product { id } products { id } }"), fetch
    )
    same = [TWO[0], TWO[1], TWO[1]]
    shop = Scripted({"{": SubgraphResponse({"product": dict(TWO[0]), "products": [dict(one) for one in same]})})
    answer = SubgraphResponse({"_a": [{"name": "Table"}], "_b": [{"name": "Table"}, None]}, [{"message": "no", "path": ["_b", 1, "name"]}])

    outcome = await run(API, query, {"shop": shop, "names": Scripted({"{": answer})})

    assert outcome.data == {"product": {"name": "Table"}, "products": [{"name": "Table"}, {"name": None}, {"name": None}]}
    assert outcome.errors == [error("no", ["products", 1, "name"], "names"), error("no", ["products", 2, "name"], "names")]


async def test_an_error_inside_what_only_the_plan_asked_for_is_told_at_the_nearest_field_of_the_client() -> None:
    answer = SubgraphResponse(
        {"products": [{"__typename": "Product", "id": "1", "price": None}]}, [{"message": "no price", "path": ["products", 0, "price"]}]
    )
    inputs = (InputField("id", "id"), InputField("price", "price"))
    fetch = Fetch(
        "freight",
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { shipping } } }",
        OperationKind.QUERY,
        calls=(EntityCall("_entities", "r", (steps("products"),), (Representation(frozenset({"Product"}), None, inputs),)),),
        depends_on=(0,),
    )
    query = plan([select("products", select("id"), select("shipping"))], root("shop", "{ products { __typename id price } }"), fetch)
    freight = Scripted({"{": SubgraphError("must not be asked")})

    outcome = await run(API, query, {"shop": Scripted({"{": answer}), "freight": freight})

    assert freight.asked == []
    assert outcome.data == {"products": None}
    assert outcome.errors == [error("no price", ["products", 0], "shop")]


async def test_an_error_below_what_only_the_plan_asked_for_does_not_name_the_fields_below() -> None:
    answer = SubgraphResponse({"products": [{"maker": {"name": None}}]}, [{"message": "odd", "path": ["products", 0, "maker", "name"]}])
    query = plan([select("products", select("name"))], root("shop", "{ products { name maker { name } } }"))

    outcome = await run(API, query, {"shop": Scripted({"{": answer})})

    assert outcome.errors == [error("odd", ["products", 0], "shop")]


async def test_an_error_path_into_a_json_value_leaves_the_value_alone() -> None:
    answer = SubgraphResponse({"extra": {"extra": None}}, [{"message": "odd", "path": ["extra", "extra"]}])
    query = plan([select("extra")], root("shop", "{ extra }"))

    outcome = await run("scalar JSON type Query { extra: JSON }", query, {"shop": Scripted({"{": answer})})

    assert outcome.data == {"extra": {"extra": None}}
    assert outcome.errors == [error("odd", ["extra"], "shop")]


async def test_an_entity_that_is_null_because_of_its_error_is_not_told_again() -> None:
    told = {"message": "no stock", "path": ["_entities", 0, "stock"]}
    stock = Scripted({"stock": SubgraphResponse({"_entities": [None, {"stock": 2}]}, [told])})
    query = plan(
        [select("products", select("stock"))], root("shop", "{ products { __typename id } }"), entities("stock", "stock", "products")
    )

    outcome = await run(API, query, {"shop": shop_of(TWO), "stock": stock})

    assert outcome.data == {"products": None}
    assert outcome.errors == [error("no stock", ["products", 0, "stock"], "stock")]


async def test_a_type_that_could_not_be_fetched_is_not_told_again() -> None:
    api = "interface Thing { id: ID! } type Lamp implements Thing { id: ID! } type Query { thing: Thing }"
    things = Scripted({"thing": SubgraphResponse({"thing": {"__typename": "Thing", "id": "1"}})})
    fetch = Fetch(
        "types",
        "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }",
        OperationKind.QUERY,
        calls=(EntityCall("_entities", "r", (steps("thing"),), (Representation(None, "Thing", (InputField("id", "id"),)),)),),
        depends_on=(0,),
    )
    query = plan([select("thing", select("__typename", alias="kind"))], root("things", "{ thing { __typename id } }"), fetch)

    outcome = await run(api, query, {"things": things, "types": Scripted({"{": SubgraphError("gone")})})

    assert outcome.data == {"thing": None}
    assert [(one["message"], one["path"]) for one in outcome.errors] == [("gone", ["thing", "kind"])]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (SubgraphResponse(None), "subgraph 'names' answered with no entities, where 2 were asked for"),
        (SubgraphResponse("<html>"), "subgraph 'names' answered with no entities, where 2 were asked for"),
        (SubgraphResponse({"_entities": None}), "subgraph 'names' answered with no entities, where 2 were asked for"),
        (SubgraphResponse({"_entities": {"0": 1}}), "subgraph 'names' answered with no entities, where 2 were asked for"),
        (SubgraphResponse({"_entities": [{"name": "x"}]}), "subgraph 'names' answered with 1 entities, where 2 were asked for"),
        (SubgraphResponse({"_entities": [{"name": "x"}] * 3}), "subgraph 'names' answered with 3 entities, where 2 were asked for"),
    ],
)
async def test_entities_that_do_not_fit_the_representations_are_one_error(answer: SubgraphResponse, message: str) -> None:
    counts = Scripted({"count": SubgraphResponse({"count": 3})})

    outcome = await run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": Scripted({"name": answer}), "counts": counts})

    assert outcome.data == {"all": [{"id": "1", "title": None}, {"id": "2", "title": None}], "count": 3}
    assert outcome.errors == [error(message, ["all", 0, "title"], "names")]


async def test_an_entity_that_is_no_object_concerns_its_own_object_only() -> None:
    names = Scripted({"name": SubgraphResponse({"_entities": ["text", {"name": "Chair"}]})})
    counts = Scripted({"count": SubgraphResponse({"count": 3})})

    outcome = await run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": names, "counts": counts})

    assert outcome.data["all"] == [{"id": "1", "title": None}, {"id": "2", "title": "Chair"}]
    assert outcome.errors == [error("subgraph 'names' answered with something that is not an object", ["all", 0], "names")]


@pytest.mark.parametrize(
    "told",
    [
        {"message": "request refused", "path": None},
        {"message": "request refused", "path": ["_entities"]},
        {"message": "request refused", "path": "x"},
    ],
)
async def test_errors_without_data_are_told_once_at_the_first_object(told: dict[str, Any]) -> None:
    counts = Scripted({"count": SubgraphResponse({"count": 3})})
    names = Scripted({"name": SubgraphResponse(None, [told])})

    outcome = await run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": names, "counts": counts})

    assert outcome.data["all"] == [{"id": "1", "title": None}, {"id": "2", "title": None}]
    assert outcome.errors == [error("request refused", ["all", 0], "names")]


@pytest.mark.parametrize("garbage", ["text", None, {"message": 5, "path": [None], "extensions": "x"}, {}])
async def test_errors_that_are_not_errors_are_still_told(garbage: Any) -> None:
    counts = Scripted({"count": SubgraphResponse(None, [garbage])})

    outcome = await run(API, plan([select("count")], root("counts", "{ count }")), {"counts": counts})

    assert outcome.data == {"count": None}
    assert outcome.errors == [
        {"message": "the subgraph told an error without a message", "extensions": {"code": "SUBGRAPH_ERROR", "service": "counts"}}
    ]


@pytest.mark.parametrize("data", [None, [], "text", 5])
async def test_a_root_without_data_and_errors_is_an_error(data: Any) -> None:
    outcome = await run(API, plan([select("count")], root("counts", "{ count }")), {"counts": Scripted({"count": SubgraphResponse(data)})})

    assert outcome.data == {"count": None}
    assert outcome.errors == [error("subgraph 'counts' answered without data", ["count"], "counts")]


@pytest.mark.parametrize(
    "path",
    [
        ["products", 7, "name"],
        ["products", -1],
        ["products", "x"],
        [0],
        ["nothing", 0],
        ["products", 0, "maker", "name"],
        ["products", 0, "id", "x"],
        [{}],
    ],
)
async def test_error_paths_that_lead_nowhere_do_no_harm(path: list[Any]) -> None:
    products = [{"id": "1", "maker": {"name": "Ann"}}]
    shop = Scripted({"products": SubgraphResponse({"products": products}, [{"message": "odd", "path": path}])})
    query = plan([select("products", select("id"), select("maker", select("name")))], root("shop", "{ products { id maker { name } } }"))

    outcome = await run(API, query, {"shop": shop})

    assert outcome.data == {"products": [{"id": "1", "maker": {"name": "Ann"}}]}
    assert [one["message"] for one in outcome.errors] == ["odd"]


async def test_wrong_values_are_null_with_the_subgraph_named() -> None:
    counts = Scripted({"count": SubgraphResponse({"count": "three"})})
    names = Scripted({"name": SubgraphResponse({"_entities": [{"name": 5}, {"name": "Chair"}]})})

    outcome = await run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": names, "counts": counts})

    assert outcome.data == {"all": [{"id": "1", "title": None}, {"id": "2", "title": "Chair"}], "count": None}
    assert outcome.errors == [
        error("Product.name should be a String, and is the number 5", ["all", 0, "title"], "names"),
        error("Query.count should be an Int, and is the text 'three'", ["count"], "counts"),
    ]


async def test_a_null_in_a_non_null_place_is_told_once_and_bubbles() -> None:
    shop = Scripted({"{": SubgraphResponse({"products": [{"id": "1", "stock": 4}, {"id": "2", "stock": None}]})})

    outcome = await run(
        API, plan([select("products", select("id"), select("stock"))], root("shop", "{ products { id stock } }")), {"shop": shop}
    )

    assert outcome.data == {"products": None}
    assert outcome.errors == [error("Product.stock may not be null, and is", ["products", 1, "stock"], "shop")]


async def test_an_error_of_the_subgraph_about_a_non_null_field_is_not_told_again() -> None:
    told = {"message": "no stock", "path": ["products", 1, "stock"]}
    shop = Scripted({"{": SubgraphResponse({"products": [{"id": "1", "stock": 4}, {"id": "2", "stock": None}]}, [told])})

    outcome = await run(
        API, plan([select("products", select("id"), select("stock"))], root("shop", "{ products { id stock } }")), {"shop": shop}
    )

    assert outcome.data == {"products": None}
    assert outcome.errors == [error("no stock", ["products", 1, "stock"], "shop")]


HIDING = """
enum Colour { RED %s } interface Thing { id: ID! } type Lamp implements Thing { id: ID! colour: Colour shade: Colour! }
type Query { things: [Thing] one: Thing! lamp: Lamp } %s
"""


async def hiding(selected: Field, data: dict[str, Any]) -> ExecutionOutcome:
    """Runs over a supergraph with an object type and an enum value that its API schema does not show."""
    api, full = build_schema(HIDING % ("", "")), build_schema(HIDING % ("ULTRAVIOLET", "type Secret implements Thing { id: ID! }"))
    executor = Executor(api, {"shop": Scripted({"{": SubgraphResponse(data)})}, full_schema=full)
    return await executor.run(plan([selected], root("shop", "{ things { id } one { id } lamp { colour shade } }")), {}, CONTEXT)


async def test_objects_of_a_hidden_type_are_null_without_an_error_where_they_may_be() -> None:
    things = [{"__typename": "Secret", "id": "1"}, {"__typename": "Lamp", "id": "2"}]

    nullable = await hiding(select("things", select("id")), {"things": things})
    required = await hiding(select("one", select("id")), {"one": things[0]})

    assert (nullable.data, nullable.errors) == ({"things": [None, {"id": "2"}]}, [])
    assert required.data is None
    assert required.errors == [error("Query.one may not be null, and is", ["one"], "shop")]


async def test_hidden_enum_values_are_null_without_an_error_where_they_may_be() -> None:
    nullable = await hiding(select("lamp", select("colour")), {"lamp": {"colour": "ULTRAVIOLET"}})
    required = await hiding(select("lamp", select("shade")), {"lamp": {"shade": "ULTRAVIOLET"}})
    unknown = await hiding(select("lamp", select("colour")), {"lamp": {"colour": "LOUD"}})

    assert (nullable.data, nullable.errors) == ({"lamp": {"colour": None}}, [])
    assert (required.data, required.errors) == ({"lamp": None}, [error("Lamp.shade may not be null, and is", ["lamp", "shade"], "shop")])
    assert [one["message"] for one in unknown.errors] == ["Lamp.colour should be a value of the enum Colour, and is the text 'LOUD'"]


async def test_errors_beyond_the_limit_are_counted() -> None:
    products = [{"id": str(number), "name": number} for number in range(250)]
    shop = Scripted({"{": SubgraphResponse({"products": products})})

    outcome = await run(API, plan([select("products", select("name"))], root("shop", "{ products { name } }")), {"shop": shop})

    assert len(outcome.errors) == 101
    assert outcome.errors[-1] == {"message": "150 more errors are not shown", "extensions": {"code": "SUBGRAPH_ERROR", "omitted": 150}}


async def test_an_operation_that_takes_too_long_answers_with_what_it_has() -> None:
    names = Scripted({"name": SubgraphError("never")}, delay=30)
    counts = Scripted({"count": SubgraphResponse({"count": 3})})

    outcome = await asyncio.wait_for(
        run(API, NAMES_AND_COUNT, {"shop": shop_of(TWO), "names": names, "counts": counts}, limits=ExecutorLimits(operation_timeout=0.1)), 5
    )

    assert outcome.data == {"all": [{"id": "1", "title": None}, {"id": "2", "title": None}], "count": 3}
    assert outcome.errors == [error("the operation took longer than 0.1 s", ["all", 0, "title"], "names", "REQUEST_TIMEOUT")]


async def test_a_fault_of_a_transport_is_logged_and_told_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    outcome = await run(
        API, plan([select("count")], root("counts", "{ count }")), {"counts": Scripted({"count": RuntimeError("password=1")})}
    )

    assert outcome.errors == [error("the request to subgraph 'counts' failed", ["count"], "counts", "INTERNAL_SERVER_ERROR")]
    assert "password=1" in caplog.text


async def test_an_error_of_our_own_keeps_its_code() -> None:
    outcome = await run(
        API, plan([select("count")], root("counts", "{ count }")), {"counts": Scripted({"count": Conflict("twice", extensions={"at": 1})})}
    )

    assert outcome.errors == [error("twice", ["count"], "counts", "CONFLICT", at=1)]


async def test_health_counts_failures_in_a_row_and_forgets_them_after_a_success() -> None:
    answers: list[Any] = [SubgraphError("gone"), SubgraphError("gone"), SubgraphResponse({"count": 1})]

    def next_answer(_request: SubgraphRequest) -> SubgraphResponse:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    executor = Executor(build_schema(API), {"counts": Scripted({"count": next_answer})})
    query = plan([select("count")], root("counts", "{ count }"))
    counted = []
    for _ in range(3):
        await executor.run(query, {}, CONTEXT)
        counted.append(executor.health.of("counts").consecutive_failures)

    assert counted == [1, 2, 0]
    assert executor.health.of("counts").last_failure == "gone"
    assert executor.health.of("counts").last_success_at is not None


def test_faults_keep_the_subgraphs_own_code_but_not_a_service_that_it_claims() -> None:
    faults = Faults(10)

    faults.add("x", ["a"], service="shop", extensions={"service": "other", "code": "X"}, code="X")

    assert faults.result() == [{"message": "x", "path": ["a"], "extensions": {"service": "shop", "code": "X"}}]
