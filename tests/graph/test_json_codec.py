"""The one JSON reader and writer: what orjson alone would refuse or lose."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from graph.json_codec import InvalidJSON, dumps, loads


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b'"\\ud800"', b"{", b"", b'"\xff"', b"[" * 1_100 + b"]" * 1_100])
def test_loads_of_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidJSON):
        loads(text, exact_integers=True)


@pytest.mark.parametrize("number", [2**63, -(2**64), 10**30, 12345678901234567890])
def test_loads_of_large_integers_keeps_them_where_exactness_is_asked_for(number: int) -> None:
    assert loads(f'{{"n": [{number}]}}', exact_integers=True) == {"n": [number]}
    assert type(loads(f'{{"n": [{number}]}}', exact_integers=True)["n"][0]) is int


@pytest.mark.parametrize("value", [10**30, -(10**30), "\ud800", {"a": ["\udfff", 2**64]}])
def test_dumps_of_what_orjson_refuses_is_json_all_the_same(value: object) -> None:
    assert json.loads(dumps(value)) == value


def test_dumps_of_deep_nesting_is_written() -> None:
    deep: list[object] = []
    for _ in range(600):
        deep = [deep]

    assert dumps(deep) == b"[" * 601 + b"]" * 601


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_dumps_of_numbers_that_json_has_not_is_null(value: float) -> None:
    assert dumps([value]) == b"[null]"
    assert dumps({"a": [value], "b": 10**30}) == b'{"a":[null],"b":' + str(10**30).encode() + b"}"


def test_dumps_of_identifiers_and_times_is_the_same_the_slow_way() -> None:
    value = {"id": UUID(int=5), "at": datetime(2026, 1, 2, tzinfo=UTC)}

    assert json.loads(dumps({**value, "n": 10**30})) == {**json.loads(dumps(value)), "n": 10**30}


def test_dumps_of_something_that_is_no_data_is_refused() -> None:
    with pytest.raises(InvalidJSON):
        dumps({"a": object()})
