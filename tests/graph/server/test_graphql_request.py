"""GraphQL over HTTP, the request's side: what is read, and how what cannot be read is refused."""

import pytest

from graph.errors import BadRequest, Forbidden, UnsupportedMediaType
from graph.server.graphql_request import check_content_type, read_get, read_post
from graph.server.messages import GraphQLRequest

SAFE = {"graphql-require-preflight": "1"}


def test_post_when_complete_then_read() -> None:
    body = b'{"query": "query A { a }", "variables": {"x": 1}, "operationName": "A", "extensions": {}, "more": 1}'

    assert read_post(body) == GraphQLRequest("query A { a }", {"x": 1}, "A")


def test_post_when_optional_parts_are_null_then_as_if_absent() -> None:
    body = b'{"query": "{ a }", "variables": null, "operationName": null, "extensions": null}'

    assert read_post(body) == GraphQLRequest("{ a }", {})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b'{"query": "\\ud800"}', "the body is not JSON"),
        (b'{"query": NaN}', "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"5", "the body is a number: a JSON object"),
        (b"null", "the body is null"),
        (b'"x"', "the body is a string"),
        (b'[{"query": "{ a }"}]', "batches are not accepted"),
        (b"{}", "`query` is missing"),
        (b'{"query": null}', "`query` is missing"),
        (b'{"query": {"a": 1}}', "`query` is an object: a string is expected"),
        (b'{"query": true}', "`query` is a boolean"),
        (b'{"query": "{ a }", "variables": []}', "`variables` is a list: an object is expected"),
        (b'{"query": "{ a }", "variables": "{}"}', "`variables` is a string"),
        (b'{"query": "{ a }", "operationName": 1}', "`operationName` is a number"),
        (b'{"query": "{ a }", "extensions": "x"}', "`extensions` is a string"),
    ],
)
def test_post_when_it_is_no_graphql_request_then_refused_by_what_is_wrong(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        read_post(body)


@pytest.mark.parametrize("value", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
def test_content_type_when_json_then_accepted(value: str) -> None:
    check_content_type({"content-type": value})


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Content-Type is missing"),
        ({"content-type": "text/plain"}, "'text/plain'"),
        ({"content-type": "application/x-www-form-urlencoded"}, "'application/json' is expected"),
        ({"content-type": "application/json; charset=latin-1"}, "charset is 'latin-1'"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "compressed"),
    ],
)
def test_content_type_when_not_json_in_utf8_then_refused(headers: dict[str, str], message: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=message):
        check_content_type(headers)


def test_get_when_complete_then_read() -> None:
    query_string = b"query=query%20A(%24x%3AInt)%7Ba(x%3A%24x)%7D&variables=%7B%22x%22%3A1%7D&operationName=A&extensions="

    assert read_get(query_string, SAFE) == GraphQLRequest("query A($x:Int){a(x:$x)}", {"x": 1}, "A")


@pytest.mark.parametrize("headers", [{"accept": "application/json"}, {"content-type": "text/plain", "origin": "https://evil.example"}])
def test_get_when_a_foreign_page_could_have_sent_it_then_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="foreign page"):
        read_get(b"query=%7Ba%7D", headers)


@pytest.mark.parametrize(
    ("query_string", "message"),
    [
        (b"", "`query` is missing"),
        (b"query=%7Ba%7D&query=%7Bb%7D", "given twice"),
        (b"query=%ff", "not UTF-8"),
        (b"&".join([b"a=1"] * 30), "more than 20 parameters"),
        (b"query=%7Ba%7D&variables=%7B", "`variables` is not JSON"),
        (b"query=%7Ba%7D&variables=%5B%5D", "`variables` is a list"),
    ],
)
def test_get_when_its_parameters_are_wrong_then_refused(query_string: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        read_get(query_string, SAFE)
