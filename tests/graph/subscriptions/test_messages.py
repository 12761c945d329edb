"""What is said between processes, read back; and what a process keeps until it has heard it itself."""

import pytest
from carrying import told
from hypothesis import given
from hypothesis import strategies as st

from graph.contracts import Event
from graph.subscriptions import messages as module
from graph.subscriptions import outbox as outbox_module
from graph.subscriptions.messages import Assembly, NoMessage, encoded, messages, read_events, read_part
from graph.subscriptions.outbox import Outbox


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300), limit=st.integers(130, 400))
def test_event_when_sent_in_parts_then_each_fits_and_the_whole_is_read_back(text: str, limit: int) -> None:
    event = Event("t", "c", "Told", 1, {"text": text, "big": 2**80}, 7)
    assembly = Assembly()

    parts = list(messages("p", 5, [encoded(event)], limit))

    assert max(len(part.encode()) for part in parts) <= limit
    wholes = [assembly.whole(read_part(part)) for part in parts]
    assert wholes[:-1] == [None] * (len(parts) - 1)
    assert wholes[-1] is not None
    assert (wholes[-1].first, read_events(wholes[-1])) == (5, [event])


def test_parts_when_one_is_missing_then_nothing_is_made_of_them() -> None:
    assembly = Assembly()
    first, second, third, *_ = [read_part(text) for text in messages("p", 1, [encoded(told(1, "c" * 400))], 200)]

    assert [assembly.whole(part) for part in (first, third, second)] == [None, None, None]
    assert assembly._gathered == {}


def test_parts_when_they_never_end_then_what_is_kept_of_them_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 100)
    monkeypatch.setattr(module, "MAX_UNFINISHED", 10)
    assembly = Assembly()

    for publisher in range(100):
        for part in range(1, 4):
            assembly.whole(read_part(f"p{publisher} 1 1 {part} 9\n{'x' * 40}"))
            assert sum(len(one.texts) for one in assembly._gathered.values()) <= 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p",
        "p 1 1 1 1",
        "p 0 1 1 1\n[]",
        "p 1 -1 1 1\n[]",
        "p 1 1 2 1\n[]",
        " 1 1 1 1\n[]",
        "p 1 1 1\n[]",
        "p 1 1 1 1 1\n[]",
        "p a 1 1 1\n",
    ],
)
def test_text_when_it_is_no_message_then_it_is_refused(text: str) -> None:
    with pytest.raises(NoMessage):
        read_part(text)


@pytest.mark.parametrize("body", ["", "{", "[]", "[1]", "[[]]", '[["t","c","k",1,[1],0]]', '[["t","c","k","x",{},0]]'])
def test_body_when_it_has_not_the_events_that_it_promises_then_it_is_refused(body: str) -> None:
    with pytest.raises(NoMessage):
        read_events(read_part(f"p 1 1 1 1\n{body}"))


def filled(count: int) -> Outbox:
    outbox = Outbox()
    for n in range(count):
        outbox.add(told(n), encoded(told(n)), float(n))
    return outbox


def lot(outbox: Outbox) -> list[int]:
    return [kept.number for kept in outbox.lot(10_000)]


def test_outbox_when_what_was_sent_does_not_come_back_then_it_is_sent_again_before_what_follows() -> None:
    outbox = filled(5)
    outbox.sent(outbox.lot(10_000)[:3])
    assert lot(outbox) == [4, 5]
    under_way = outbox.lot(10_000)

    outbox.confirm(1)
    outbox.send_again()
    outbox.sent(under_way)

    assert (lot(outbox), outbox.waits) == ([2, 3, 4, 5], True)
    outbox.confirm(5)
    assert (lot(outbox), outbox.waits, outbox.unconfirmed_since) == ([], False, None)


def test_outbox_when_a_lot_would_be_too_long_then_the_rest_waits() -> None:
    outbox = filled(5)
    size = len(encoded(told(0)))

    assert [kept.number for kept in outbox.lot(2 * size + 2)] == [1, 2]
    assert [kept.number for kept in outbox.lot(1)] == [1]


@pytest.mark.parametrize(("bound", "value"), [("MAX_EVENTS", 2), ("MAX_BYTES", 2 * len(encoded(told(0)))), ("SECONDS", 3.5)])
def test_outbox_when_it_has_too_much_or_too_old_then_the_oldest_is_given_up(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: float
) -> None:
    monkeypatch.setattr(outbox_module, bound, value)
    outbox = filled(5)

    assert [kept.number for kept in outbox.given_up(6.0)] == [1, 2, 3]
    assert lot(outbox) == [4, 5]
