"""The subgraphs of the audit are strict: a plan that is wrong gets an error from them, not a lucky answer."""

import pytest
from graphql import ExecutionResult, execute_sync, parse, validate

from tests.federation_audit.subgraph import Behaviour, build_subgraph

PRODUCTS = """
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@provides"])
    type Query { product: Product  cheapest: Product @provides(fields: "price offer { ... on Sale { until } }") }
    type Product @key(fields: "id") @key(fields: "sku", resolvable: false) {
      id: ID!
      sku: String
      price: Int @external
      offer: Offer @external
      isDear: Boolean @requires(fields: "price offer { ... on Sale { until } }")
    }
    interface Offer { until: String }
    type Sale implements Offer { until: String @external }
    interface Named @key(fields: "id") { id: ID! }
    type Shop implements Named @key(fields: "id") { id: ID!  city: String }
    extend type Owner @key(fields: "id") { id: ID! @external }
"""
PRODUCT = {"id": "1", "sku": "s", "price": 5, "offer": {"__typename": "Sale", "until": "May"}}
BEHAVIOUR = Behaviour(
    records={"Product": [PRODUCT], "Named": [{"__typename": "Shop", "id": "2", "city": "Turku"}], "Owner": [{"id": "3"}]},
    resolvers={
        "*": {
            "Query.product": lambda _: PRODUCT,
            "Query.cheapest": lambda _: PRODUCT,
            "Product.isDear": lambda product: product.inputs["price"] is not None,
        }
    },
)


def ask(query: str, *representations: object, overridden: frozenset[str] = frozenset()) -> ExecutionResult:
    schema = build_subgraph("products", PRODUCTS, BEHAVIOUR, overridden)
    document = parse(query)
    assert validate(schema, document) == []
    return execute_sync(schema, document, variable_values={"r": list(representations)})


def entities(selections: str, *representations: object) -> ExecutionResult:
    return ask(f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ __typename {selections} }} }}", *representations)


def messages(result: ExecutionResult) -> list[str]:
    return [error.message for error in result.errors or ()]


def test_external_field_when_not_provided_then_is_refused() -> None:
    result = ask("{ product { id price } }")

    assert result.data == {"product": {"id": "1", "price": None}}
    assert messages(result) == ["Product.price is external in 'products', and not provided here"]


def test_external_fields_when_provided_on_the_path_then_are_answered() -> None:
    result = ask("{ cheapest { price offer { until } } }")

    assert result.data == {"cheapest": {"price": 5, "offer": {"until": "May"}}}
    assert messages(result) == []


def test_overridden_field_when_asked_for_then_is_refused() -> None:
    result = ask("{ product { sku } }", overridden=frozenset({"Product.sku"}))

    assert messages(result) == ["Product.sku is overridden: 'products' no longer answers it"]


@pytest.mark.parametrize(
    ("inputs", "absent"),
    [
        ({"offer": None}, "price"),
        ({"price": 5}, "offer"),
        ({"price": 5, "offer": {"until": "May"}}, "offer.__typename"),
        ({"price": 5, "offer": {"__typename": "Sale"}}, "offer.until"),
    ],
)
def test_required_field_when_an_input_is_missing_then_is_refused(inputs: dict[str, object], absent: str) -> None:
    result = entities("... on Product { isDear }", {"__typename": "Product", "id": "1", **inputs})

    assert result.data == {"_entities": [{"__typename": "Product", "isDear": None}]}
    assert [message.split(":")[0] for message in messages(result)] == [f"Product.isDear requires {absent}"]


@pytest.mark.parametrize("offer", [None, {"__typename": "Sale", "until": None}, {"__typename": "Gift"}])
def test_required_field_when_inputs_are_null_or_of_another_type_then_is_computed(offer: object) -> None:
    result = entities("... on Product { isDear }", {"__typename": "Product", "id": "1", "price": None, "offer": offer})

    assert result.data == {"_entities": [{"__typename": "Product", "isDear": False}]}
    assert messages(result) == []


def test_required_field_when_not_reached_by_a_representation_then_is_refused() -> None:
    result = ask("{ cheapest { isDear } }")

    assert messages(result) == ["Product.isDear needs the inputs of a representation, and was not asked for through _entities"]


def test_entities_when_some_keys_do_not_fit_then_only_those_fail() -> None:
    # given
    good = {"__typename": "Product", "id": "1"}
    null, unresolvable, unknown = {**good, "id": None}, {"__typename": "Product", "sku": "s"}, {"__typename": "Offer", "id": "1"}

    # when
    result = entities("... on Product { sku }", null, good, unresolvable, unknown, {**good, "id": "9"})

    # then
    assert result.data == {"_entities": [None, {"__typename": "Product", "sku": "s"}, None, None, None]}
    assert messages(result) == [
        "no key of Product in 'products' fits the representation {'__typename': 'Product', 'id': None}",
        "no key of Product in 'products' fits the representation {'__typename': 'Product', 'sku': 's'}",
        "'products' has no entity 'Offer'",
    ]


def test_entity_interface_when_named_by_a_representation_then_answers_with_the_concrete_type() -> None:
    result = entities("... on Named { id } ... on Shop { city }", {"__typename": "Named", "id": "2"})

    assert result.data == {"_entities": [{"__typename": "Shop", "id": "2", "city": "Turku"}]}


def test_extended_type_when_its_key_is_external_then_the_key_is_answered() -> None:
    result = entities("... on Owner { id }", {"__typename": "Owner", "id": "3"})

    assert result.data == {"_entities": [{"__typename": "Owner", "id": "3"}]}


def test_service_when_asked_then_tells_the_sdl_as_written() -> None:
    result = ask("{ _service { sdl } }")

    assert result.data == {"_service": {"sdl": PRODUCTS}}
