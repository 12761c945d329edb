"""The one JSON reader and writer: what orjson alone would refuse or lose."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.json_codec import InvalidJSON, dumps, loads, loads_in_steps


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


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_loads_in_steps_of_any_value_is_that_of_loads(value: object, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped).encode()

    assert repr(loads_in_steps(text)) == repr(loads(text))


@pytest.mark.parametrize(
    "text",
    [
        *(b"-0", b"-0.0", b"1E5", b"1e-999", b"0.1e+1", b" [1 ,2]\n", b'{"a":1,"a":2}', b'"\x7f"', b'"\\ud83d\\ude00"'),
        *(str(n).encode() for n in (2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**18, 10**19, -(10**18), 10**300)),
    ],
)
def test_loads_in_steps_of_what_readers_differ_in_is_that_of_loads(text: bytes) -> None:
    assert repr(loads_in_steps(text)) == repr(loads(text))


def test_loads_in_steps_of_deep_nesting_is_read() -> None:
    value, depth = loads_in_steps(b"[" * 1_000 + b"]" * 1_000), 0
    while value:
        (value,), depth = value, depth + 1

    assert depth == 999


@pytest.mark.parametrize(
    "text",
    [
        *(b"NaN", b"[-Infinity]", b'"\\ud800"', b'"\\uDFFF"', b"{", b"", b'"\xff"', b'"\x01"', b"\xef\xbb\xbf1", b"1\x00", b"01", b"[1,]"),
        *(b"1e999", b"-1e999", b"1" * 400, b"1" * 5_000, b"[" * 1_100 + b"]" * 1_100, "[1]".encode("utf-16")),
    ],
)
def test_loads_in_steps_of_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidJSON):
        loads(text)
    with pytest.raises(InvalidJSON):
        loads_in_steps(text)
