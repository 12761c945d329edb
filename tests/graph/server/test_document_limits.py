"""What a document may cost, and that finding out costs little."""

import time

import pytest
from graphql import parse

from graph.errors import GraphQLValidationFailed, PayloadTooLarge
from graph.server.document_limits import DocumentLimits, check_document, check_text

LIMITS = DocumentLimits()


def _check(text: str, limits: DocumentLimits = LIMITS) -> None:
    check_text(text, limits)
    check_document(parse(text, max_tokens=limits.tokens), limits)


def test_document_when_ordinary_then_accepted() -> None:
    _check("query A($id: ID!) { city(id: $id) { ...C } } fragment C on City { name status extent }")


def test_document_when_longer_than_allowed_then_refused_by_its_bytes_not_characters() -> None:
    text = '{ a(b: "' + "ä" * 600 + '") }'

    with pytest.raises(PayloadTooLarge, match="has 1212 bytes: at most 1200"):
        _check(text, DocumentLimits(bytes=1_200))


@pytest.mark.parametrize("opening", ["{a", "{a(b:[", "{a(b:{c:"])
def test_document_when_nested_without_end_then_refused_before_it_is_parsed(opening: str) -> None:
    with pytest.raises(GraphQLValidationFailed, match="nests 65 levels of brackets: at most 64"):
        check_text(opening * 5_000, LIMITS)


def test_document_when_brackets_stand_in_strings_and_comments_then_they_do_not_count() -> None:
    text = '{ a(b: "' + "{" * 500 + '", c: """' + "[" * 500 + '\\""" @""") # ' + "({[" * 500 + "\n}"

    _check(text)


def test_document_when_its_comments_and_strings_are_long_then_they_are_few_tokens() -> None:
    text = '{ a(b: "' + "word " * 300 + '", c: """' + "word " * 300 + '""" d: -1.5e3) { ...F @include(if: true) } } # ' + "word " * 300

    with pytest.raises(GraphQLValidationFailed, match="has more than 23 tokens"):
        check_text(text, DocumentLimits(tokens=23))
    check_text(text, DocumentLimits(tokens=24))


@pytest.mark.parametrize("text", ['"' * 100_000, '\\"""' * 25_000, '"""' + '\\"""' * 24_000, '"\\' * 50_000])
def test_text_when_its_quotes_never_close_then_read_once(text: str) -> None:
    started = time.process_time()

    check_text(text, DocumentLimits(tokens=1_000_000))

    assert time.process_time() - started < 1  # a scan that starts again at each quote takes minutes


def test_document_when_fields_nest_too_deep_through_fragments_then_refused() -> None:
    text = "{ ...A } fragment A on Q { " + "a { " * 30 + "...B" + " }" * 30 + " } fragment B on Q { " + "a { " * 10 + "b" + " }" * 10 + " }"

    with pytest.raises(GraphQLValidationFailed, match="nests 41 levels of fields: at most 40"):
        _check(text)


def test_document_when_fragments_double_26_times_then_refused_without_expanding_them() -> None:
    doubling = " ".join(f"fragment F{n} on Q {{ ...F{n + 1} x: a {{ ...F{n + 1} }} }}" for n in range(26))

    with pytest.raises(GraphQLValidationFailed, match="counting a fragment wherever it is spread: at most 5000"):
        _check("{ ...F0 } " + doubling + " fragment F26 on Q { b }")


def test_document_when_a_fragment_spreads_itself_then_refused_by_its_name() -> None:
    with pytest.raises(GraphQLValidationFailed, match="fragment 'A' spreads itself"):
        _check("{ ...A } fragment A on Q { ...B } fragment B on Q { ...A }")


def test_document_when_a_chain_of_fragments_is_deeper_than_recursion_bears_then_refused() -> None:
    chain = " ".join(f"fragment F{n} on Q {{ a {{ a {{ ...F{n + 1} }} }} }}" for n in range(150))

    with pytest.raises(GraphQLValidationFailed, match="selection sets and fragments: at most 120"):
        _check("{ ...F0 } " + chain + " fragment F150 on Q { b }")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ " + " ".join(f"a{n}: a" for n in range(501)) + " }", "has 501 aliases.*at most 500"),
        ("{ x { " + "a " * 5_001 + "} }", "selects 5002 fields.*at most 5000"),
        ("{ " + " ".join(f"f{n}" for n in range(101)) + " }", "has 101 root fields: at most 100"),
        ("{ a(b: [" + "1 " * 10_000 + "]) }", "has more than 10000 tokens"),
        ("{ a " + "@include(if: true) " * 201 + "}", "has 201 directives: at most 200"),
        ("{ x { " + "a { b } " * 400 + "} }", "320000 pairs to compare: at most 60000"),
        ("{ a } " + " ".join(f"fragment F{n} on Q {{ a }}" for n in range(201)), "has 201 fragments: at most 200"),
        (" ".join(f"query O{n} {{ a }}" for n in range(51)), "has 51 operations: at most 50"),
    ],
)
def test_document_when_beyond_a_bound_then_the_bound_is_named(text: str, message: str) -> None:
    with pytest.raises(GraphQLValidationFailed, match=message):
        _check(text)


def test_document_when_many_aliases_select_the_same_below_then_not_mistaken_for_overlap() -> None:
    _check("{ x { " + " ".join(f"a{n}: a {{ b c d {{ e f }} }}" for n in range(400)) + " } }")
