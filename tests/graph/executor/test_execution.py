"""Plans run over real graphql-core subgraphs, or over scripted ones where what is sent matters."""

import asyncio
from typing import Any

import pytest
from graphql import build_schema
from hand_made import CONTEXT, Scripted, call, entities, given, plan, root, run, select, steps, subgraph

from graph.contracts import OperationKind, SubgraphRequest, SubgraphResponse
from graph.executor import Executor, ExecutorLimits
from graph.executor.transports.in_process import InProcessTransport
from graph.planner.normalize.operation import Field, Fragment
from graph.planner.plan import EntityCall, Fetch, InputField, PathSegment, Representation

API = """
type Query { products: [Product] product: Product other: Product top: [Product] search: [Item] }
union Item = Product | Shop
type Product { id: ID! name: String price: Int stock: Int shipping: Int reviews: [Review] maker: Maker }
type Review { id: ID! body: String product: Product }
type Maker { id: ID! name: String }
type Shop { id: ID! name: String }
type Mutation { add(n: Int!): Int twice: Int }
"""
ENTITIES = "scalar _Any union _Entity = Product type Query { _entities(representations: [_Any!]!): [_Entity]! }"


def echo(fields: dict[str, Any]) -> Any:
    """Answers each representation with the fields, and its own identifier in place of a `%`."""

    def answer(request: SubgraphRequest) -> SubgraphResponse:
        found = {name: value for name, value in request.variables.items() if isinstance(value, list)}
        aliases = ["_entities"] if list(found) == ["r"] else [f"_{name}" for name in found]
        return SubgraphResponse(
            {
                alias: [
                    {key: value.replace("%", str(one["id"])) if isinstance(value, str) else value for key, value in fields.items()}
                    for one in sent
                ]
                for alias, sent in zip(aliases, found.values(), strict=True)
            }
        )

    return answer


def sent(transport: Scripted) -> list[Any]:
    return [request.variables for request in transport.asked]


async def test_execution_of_real_subgraphs_in_process_answers_in_the_clients_order_and_keys() -> None:
    shop = subgraph(
        "type Query { products: [Product] } type Product { id: ID! name: String }",
        {"products": lambda *_: [{"id": "1", "name": "Table"}, {"id": "2", "name": None}]},
    )
    stock = subgraph(ENTITIES + " type Product { id: ID! stock: Int }", {}, lambda one: {**one, "stock": 7})
    transports = {"shop": InProcessTransport(shop, lambda _: None), "stock": InProcessTransport(stock, lambda _: None)}
    query = plan(
        [select("products", select("stock", alias="left"), select("name"), select("__typename", alias="kind"), alias="all")],
        root("shop", "{ products { __typename id name } }"),
        entities("stock", "stock", "products"),
    )

    outcome = await run(API, query, transports)

    assert outcome.errors == []
    assert [list(one.items()) for one in outcome.data["all"]] == [
        [("left", 7), ("name", "Table"), ("kind", "Product")],
        [("left", 7), ("name", None), ("kind", "Product")],
    ]


async def test_entities_that_are_equal_are_sent_once_and_answered_everywhere() -> None:
    products = [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}, None, {"__typename": "Product", "id": "1"}]
    shop = Scripted({"products": SubgraphResponse({"products": products})})
    names = Scripted({"name": echo({"name": "name %"})})
    query = plan(
        [select("products", select("name"))], root("shop", "{ products { __typename id } }"), entities("names", "name", "products")
    )

    outcome = await run(API, query, {"shop": shop, "names": names})

    assert sent(names) == [{"r": [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]}]
    assert outcome.data == {"products": [{"name": "name 1"}, {"name": "name 2"}, None, {"name": "name 1"}]}
    assert outcome.errors == []


async def test_entities_with_a_null_or_absent_key_are_not_sent_and_null() -> None:
    shop = Scripted({"products": SubgraphResponse({"products": [{"__typename": "Product", "id": None}, {"__typename": "Product"}]})})
    names = Scripted({"name": echo({"name": "%"})})
    query = plan(
        [select("products", select("name"))], root("shop", "{ products { __typename id } }"), entities("names", "name", "products")
    )

    outcome = await run(API, query, {"shop": shop, "names": names})

    assert names.asked == []
    assert outcome.data == {"products": [{"name": None}, {"name": None}]}
    assert outcome.errors == []


async def test_calls_of_one_fetch_share_a_request_in_which_a_call_without_entities_has_an_empty_list() -> None:
    shop = Scripted({"product": SubgraphResponse({"product": {"__typename": "Product", "id": "1"}, "other": None})})
    names = Scripted({"name": echo({"name": "name %"})})
    parts = [f"_{name}: _entities(representations: ${name}) {{ ... on Product {{ name }} }}" for name in ("a", "b")]
    document = f"query($a: [_Any!]!, $b: [_Any!]!) {{ {' '.join(parts)} }}"
    fetch = Fetch(
        "names",
        document,
        OperationKind.QUERY,
        calls=(call("product", alias="_a", variable="a"), call("other", alias="_b", variable="b")),
        depends_on=(0,),
    )
    query = plan(
        [select("product", select("name")), select("other", select("name"))],
        root("shop", "{ product { __typename id } other { __typename id } }"),
        fetch,
    )

    outcome = await run(API, query, {"shop": shop, "names": names})

    assert sent(names) == [{"a": [{"__typename": "Product", "id": "1"}], "b": []}]
    assert outcome.data == {"product": {"name": "name 1"}, "other": None}


async def test_a_fetch_starts_when_its_own_inputs_are_there_and_not_when_the_slowest_is() -> None:
    finished: list[str] = []

    def noting(name: str, delay: float, answer: Any) -> Scripted:
        def noted(request: SubgraphRequest) -> SubgraphResponse:
            finished.append(name)
            return answer(request) if callable(answer) else answer

        return Scripted({"{": noted}, delay=delay)

    transports = {
        "slow": noting("slow", 0.2, SubgraphResponse({"other": {"id": "9"}})),
        "quick": noting("quick", 0.0, SubgraphResponse({"product": {"__typename": "Product", "id": "1"}})),
        "names": noting("names", 0.0, echo({"name": "%"})),
        "stock": noting("stock", 0.0, echo({"stock": 3})),
    }
    query = plan(
        [select("product", select("name"), select("stock")), select("other", select("id"))],
        root("slow", "{ other { id } }"),
        root("quick", "{ product { __typename id } }"),
        entities("names", "name", "product", after=(1,)),
        entities("stock", "stock", "product", after=(1,)),
    )

    outcome = await run(API, query, transports)

    assert finished == ["quick", "names", "stock", "slow"]
    assert outcome.data == {"product": {"name": "1", "stock": 3}, "other": {"id": "9"}}


async def test_a_fetch_waits_for_all_that_it_depends_on() -> None:
    shop = Scripted({"product": SubgraphResponse({"product": {"__typename": "Product", "id": "1"}})})
    prices = Scripted({"price": echo({"price": 5})}, delay=0.05)
    freight = Scripted({"shipping": echo({"shipping": 2})})
    query = plan(
        [select("product", select("shipping"))],
        root("shop", "{ product { __typename id } }"),
        entities("prices", "price", "product"),
        entities("freight", "shipping", "product", after=(0, 1)),
    )

    outcome = await run(API, query, {"shop": shop, "prices": prices, "freight": freight})

    assert sent(freight) == [{"r": [{"__typename": "Product", "id": "1"}]}]
    assert outcome.data == {"product": {"shipping": 2}}


async def test_keys_that_python_takes_for_equal_are_different_entities() -> None:
    keys = [1, True, 1.0, "1", 1, [1], [1]]
    shop = Scripted({"products": SubgraphResponse({"products": [{"__typename": "Product", "id": key} for key in keys]})})
    names = Scripted({"name": echo({"name": "name %"})})
    query = plan(
        [select("products", select("name"))], root("shop", "{ products { __typename id } }"), entities("names", "name", "products")
    )

    outcome = await run(API, query, {"shop": shop, "names": names})

    assert [repr(one["id"]) for one in sent(names)[0]["r"]] == ["1", "True", "1.0", "'1'", "[1]"]
    assert [one["name"] for one in outcome.data["products"]] == [f"name {key}" for key in keys]


async def test_required_inputs_that_are_nullable_are_sent_as_null() -> None:
    shop = Scripted({"product": SubgraphResponse({"product": {"__typename": "Product", "id": "1", "price": None}})})
    freight = Scripted({"shipping": echo({"shipping": 5})})
    inputs = (InputField("id", "id"), InputField("price", "price", nullable=True))
    fetch = Fetch(
        "freight",
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { shipping } } }",
        OperationKind.QUERY,
        calls=(EntityCall("_entities", "r", (steps("product"),), (Representation(frozenset({"Product"}), None, inputs),)),),
        depends_on=(0,),
    )
    query = plan([select("product", select("shipping"))], root("shop", "{ product { __typename id price } }"), fetch)

    outcome = await run(API, query, {"shop": shop, "freight": freight})

    assert sent(freight) == [{"r": [{"__typename": "Product", "id": "1", "price": None}]}]
    assert outcome.data == {"product": {"shipping": 5}}


async def test_nested_inputs_are_sent_with_their_types_and_only_the_fields_of_their_type() -> None:
    things = [{"__typename": "Maker", "id": "m", "name": "Ann"}, {"__typename": "Shop", "id": "s", "name": "skipped"}, None]
    shop = Scripted({"product": SubgraphResponse({"product": {"__typename": "Product", "id": "1", "things": things}})})
    freight = Scripted({"shipping": echo({"shipping": 5})})
    nested = (InputField("id", "id"), InputField("title", "name", types=frozenset({"Maker"})))
    inputs = (InputField("id", "id"), InputField("things", "things", fields=nested))
    fetch = Fetch(
        "freight",
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { shipping } } }",
        OperationKind.QUERY,
        calls=(EntityCall("_entities", "r", (steps("product"),), (Representation(None, "Product", inputs),)),),
        depends_on=(0,),
    )
    query = plan([select("product", select("shipping"))], root("shop", "{ product { __typename id things { id name } } }"), fetch)

    await run(API, query, {"shop": shop, "freight": freight})

    expected = [{"__typename": "Maker", "id": "m", "title": "Ann"}, {"__typename": "Shop", "id": "s"}, None]
    assert sent(freight) == [{"r": [{"__typename": "Product", "id": "1", "things": expected}]}]


async def test_a_type_condition_on_a_path_leaves_other_types_alone() -> None:
    found = [{"__typename": "Product", "id": "1"}, {"__typename": "Shop", "id": "2", "name": "Corner"}]
    shop = Scripted({"search": SubgraphResponse({"search": found})})
    names = Scripted({"name": echo({"name": "name %"})})
    fetch = entities("names", "name", "search")
    segment = (PathSegment("search", frozenset({"Product"})),)
    only = Fetch(
        fetch.subgraph,
        fetch.document,
        fetch.kind,
        calls=(EntityCall("_entities", "r", (segment,), (Representation(None, None, (InputField("id", "id"),)),)),),
        depends_on=(0,),
    )
    query = plan(
        [select("search", Fragment("Product", (select("name"),)), Fragment("Shop", (select("name", alias="shop"),)))],
        root("shop", "{ search { __typename id name } }"),
        only,
    )

    outcome = await run(API, query, {"shop": shop, "names": names})

    assert sent(names) == [{"r": [{"__typename": "Product", "id": "1"}]}]
    assert outcome.data == {"search": [{"name": "name 1"}, {"shop": "Corner"}]}


async def test_an_interface_object_keeps_the_concrete_type_that_is_known() -> None:
    api = "interface Thing { id: ID! seen: Int } type Lamp implements Thing { id: ID! seen: Int } type Query { thing: Thing }"
    things = Scripted({"thing": SubgraphResponse({"thing": {"__typename": "Lamp", "id": "1"}})})
    seen = Scripted({"seen": SubgraphResponse({"_entities": [{"__typename": "Thing", "seen": 4}]})})
    inputs = (InputField("id", "id"),)
    fetch = Fetch(
        "seen",
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { __typename seen } } }",
        OperationKind.QUERY,
        calls=(EntityCall("_entities", "r", (steps("thing"),), (Representation(None, "Thing", inputs),)),),
        depends_on=(0,),
    )
    query = plan([select("thing", select("__typename"), select("seen"))], root("things", "{ thing { __typename id } }"), fetch)

    outcome = await run(api, query, {"things": things, "seen": seen})

    assert sent(seen) == [{"r": [{"__typename": "Thing", "id": "1"}]}]
    assert outcome.data == {"thing": {"__typename": "Lamp", "seen": 4}}
    assert outcome.errors == []


async def test_an_object_whose_type_only_the_interface_is_known_of_is_projected_where_the_type_does_not_matter() -> None:
    api = "interface Thing { id: ID! seen: Int } type Lamp implements Thing { id: ID! seen: Int } type Query { thing: Thing }"
    things = Scripted({"thing": SubgraphResponse({"thing": {"__typename": "Thing", "id": "1", "seen": 2}})})

    plain = await run(api, plan([select("thing", select("seen"))], root("things", "{ thing { seen } }")), {"things": things})
    typed = await run(api, plan([select("thing", select("__typename"))], root("things", "{ thing { id } }")), {"things": things})

    assert (plain.data, plain.errors) == ({"thing": {"seen": 2}}, [])
    assert typed.data == {"thing": None}
    assert [error["path"] for error in typed.errors] == [["thing"]]


@pytest.mark.parametrize(("typed", "thing"), [(False, {"seen": 2}), (True, None)])
async def test_an_object_of_unknown_type_is_projected_where_what_depends_on_the_type_is_not_asked_for(typed: bool, thing: object) -> None:
    api = "interface Thing { id: ID! seen: Int } type Lamp implements Thing { id: ID! seen: Int } type Query { thing: Thing }"
    things = Scripted({"thing": SubgraphResponse({"thing": {"id": "1", "seen": 2}})})
    narrowed = select("thing", Fragment("Lamp", (select("id"),)), conditions=given("typed"))
    query = plan([select("thing", select("seen")), narrowed], root("things", "{ thing { seen id } }"), variables="$typed: Boolean!")

    outcome = await run(api, query, {"things": things}, {"typed": typed})

    assert outcome.data == {"thing": thing}
    assert [error["path"] for error in outcome.errors] == ([["thing"]] if typed else [])


async def test_roots_of_several_subgraphs_merge_into_one_object() -> None:
    first = Scripted({"product": SubgraphResponse({"product": {"id": "1", "reviews": [{"id": "a"}, {"id": "b"}]}})})
    second = Scripted({"product": SubgraphResponse({"product": {"name": "Table", "reviews": [{"body": "good"}, {"body": "bad"}]}})})
    query = plan(
        [select("product", select("name"), select("reviews", select("id"), select("body")))],
        root("first", "{ product { id reviews { id } } }"),
        root("second", "{ product { name reviews { body } } }"),
    )

    outcome = await run(API, query, {"first": first, "second": second})

    assert outcome.data == {"product": {"name": "Table", "reviews": [{"id": "a", "body": "good"}, {"id": "b", "body": "bad"}]}}


async def test_json_values_of_two_subgraphs_are_not_mixed() -> None:
    api = "scalar JSON type Query { product: Product } type Product { extra: JSON }"
    remembered = {"a": {"kept": 1}}
    first = Scripted({"product": SubgraphResponse({"product": {"extra": remembered}})})
    second = Scripted({"product": SubgraphResponse({"product": {"extra": {"a": {"other": 2}}}})})
    query = plan(
        [select("product", select("extra"))],
        root("first", "{ product { extra } }"),
        root("second", "{ product { extra } }", depends_on=(0,)),
    )

    await run(api, query, {"first": first, "second": second})

    assert remembered == {"a": {"kept": 1}}


async def test_objects_shared_by_two_places_take_what_a_later_fetch_brings_to_either() -> None:
    products = [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "1"}]
    shop = Scripted({"products": SubgraphResponse({"products": products})})
    makers = Scripted({"maker": SubgraphResponse({"_entities": [{"maker": {"__typename": "Maker", "id": "m"}}]})})
    names = Scripted({"name": echo({"name": "name %"})})
    query = plan(
        [select("products", select("maker", select("id"), select("name")))],
        root("shop", "{ products { __typename id } }"),
        entities("makers", "maker { __typename id }", "products"),
        entities("names", "name", "products.maker", on="Maker", after=(1,)),
    )

    outcome = await run(API, query, {"shop": shop, "makers": makers, "names": names})

    assert sent(names) == [{"r": [{"__typename": "Maker", "id": "m"}]}]
    assert outcome.data == {"products": [{"maker": {"id": "m", "name": "name m"}}] * 2}


async def test_conditions_decide_about_fetches_and_fields() -> None:
    shop = Scripted({"product": SubgraphResponse({"product": {"__typename": "Product", "id": "1", "price": 5}})})
    names = Scripted({"name": echo({"name": "name %"})})
    query = plan(
        [
            select(
                "product",
                select("name", conditions=given("names")),
                select("price", conditions=given("cheap", expected=False)),
                select("id"),
            )
        ],
        root("shop", "{ product { __typename id price } }", variables=("cheap",)),
        entities("names", "name", "product", conditions=(given("names"),)),
    )
    executor_transports = {"shop": shop, "names": names}

    with_names = await run(API, query, executor_transports, {"names": True, "cheap": True})
    without = await run(API, query, executor_transports, {"names": False, "cheap": False})

    assert with_names.data == {"product": {"name": "name 1", "id": "1"}}
    assert without.data == {"product": {"price": 5, "id": "1"}}
    assert len(names.asked) == 1
    assert sent(shop) == [{"cheap": True}, {"cheap": False}]


async def test_a_response_key_stands_where_its_first_selection_that_holds_stands() -> None:
    shop = Scripted({"product": SubgraphResponse({"product": {"id": "1", "name": "Table", "maker": {"id": "m", "name": "Ann"}}})})
    query = plan(
        [
            select(
                "product",
                select("maker", select("id"), conditions=given("early")),
                select("name"),
                select("maker", select("name")),
            )
        ],
        root("shop", "{ product { id name maker { id name } } }"),
    )

    early = await run(API, query, {"shop": shop}, {"early": True})
    late = await run(API, query, {"shop": shop}, {"early": False})

    assert list(early.data["product"].items()) == [("maker", {"id": "m", "name": "Ann"}), ("name", "Table")]
    assert list(late.data["product"].items()) == [("name", "Table"), ("maker", {"name": "Ann"})]


async def test_mutations_run_one_after_the_other() -> None:
    running: list[str] = []

    def step(name: str, value: int) -> Any:
        def answer(request: SubgraphRequest) -> SubgraphResponse:
            assert request.kind is OperationKind.MUTATION
            running.append(name)
            return SubgraphResponse({name: value})

        return answer

    first, second = Scripted({"{": step("add", 5)}, delay=0.05), Scripted({"{": step("twice", 10)})
    query = plan(
        [Field("add", "add", "add", (("n", "5"),)), select("twice")],
        root("first", "mutation { add(n: 5) }", kind=OperationKind.MUTATION),
        root("second", "mutation { twice }", kind=OperationKind.MUTATION, depends_on=(0,)),
        kind=OperationKind.MUTATION,
    )

    outcome = await run(API, query, {"first": first, "second": second})

    assert running == ["add", "twice"]
    assert outcome.data == {"add": 5, "twice": 10}


async def test_representations_beyond_the_limit_go_into_several_requests() -> None:
    products = [{"__typename": "Product", "id": str(number)} for number in range(5)]
    shop = Scripted({"products": SubgraphResponse({"products": products})})
    names = Scripted({"name": echo({"name": "name %"})})
    query = plan(
        [select("products", select("name"))], root("shop", "{ products { __typename id } }"), entities("names", "name", "products")
    )

    outcome = await run(API, query, {"shop": shop, "names": names}, limits=ExecutorLimits(representations_per_request=2))

    assert [len(variables["r"]) for variables in sent(names)] == [2, 2, 1]
    assert [one["name"] for one in outcome.data["products"]] == [f"name {number}" for number in range(5)]


async def test_introspection_is_answered_by_the_api_schema_in_its_place() -> None:
    shop = Scripted({"product": SubgraphResponse({"product": {"id": "1"}})})
    query = plan(
        [
            select("product", select("id")),
            Field(
                "__type",
                "maker",
                "maker",
                (("name", '"Maker"'),),
                selections=(select("name", alias="called"), select("fields", select("name"))),
            ),
            select("__typename"),
            select("__schema", select("queryType", select("name")), conditions=given("schema")),
        ],
        root("shop", "{ product { id } }"),
        variables="$schema: Boolean!",
    )

    outcome = await run(API, query, {"shop": shop}, {"schema": False})

    assert outcome.errors == []
    assert list(outcome.data.items()) == [
        ("product", {"id": "1"}),
        ("maker", {"called": "Maker", "fields": [{"name": "id"}, {"name": "name"}]}),
        ("__typename", "Query"),
    ]


async def test_many_operations_of_one_plan_at_once_do_not_see_each_other() -> None:
    def numbered(request: SubgraphRequest) -> SubgraphResponse:
        return SubgraphResponse({"product": {"__typename": "Product", "id": request.variables["n"]}})

    shop, names = Scripted({"product": numbered}, delay=0.01), Scripted({"name": echo({"name": "name %"})}, delay=0.01)
    executor = Executor(build_schema(API), {"shop": shop, "names": names}, ExecutorLimits())
    query = plan(
        [select("product", select("name"))],
        root("shop", "{ product { __typename id } }", variables=("n",)),
        entities("names", "name", "product"),
    )

    outcomes = await asyncio.gather(*(executor.run(query, {"n": str(number)}, CONTEXT) for number in range(20)))

    assert [one.data for one in outcomes] == [{"product": {"name": f"name {number}"}} for number in range(20)]
