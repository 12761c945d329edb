"""Everything that a client can get wrong has a clear error with a stable code; nothing of it is a 500."""

from typing import Any

import httpx
import pytest

WINDOW = 'keys: ["vehicleCount"], startTs: 1714953600000, endTs: 1715040000000'
SENSOR = "FI-HELSINKI/object/f97650cc-d23a-59e0-a694-bd95ce384ac7"
STRANGER = "FI-HELSINKI/object/00000000-0000-4000-8000-000000000000"


def _telemetry(arguments: str, entity: str = SENSOR) -> str:
    return f'{{ telemetry(entityId: "{entity}", {arguments}) {{ truncated }} }}'


REFUSED_BEFORE_RUNNING = [
    ("{ cityObjects(filter: {types: [BULDING]}) { totalCount } }", {}, "GRAPHQL_VALIDATION_FAILED", "BULDING"),
    ("{ city { nmae } }", {}, "GRAPHQL_VALIDATION_FAILED", "nmae"),
    ("{ city { name ", {}, "GRAPHQL_PARSE_FAILED", "Syntax Error"),
    ("{ city { } }", {}, "GRAPHQL_PARSE_FAILED", "Syntax Error"),
    ("query ($o: CityObjectOrder!) { cityObjects(orderBy: $o) { totalCount } }", {"o": "X"}, "BAD_USER_INPUT", "$o"),
    ("query ($f: Int!) { cityObjects(first: $f) { totalCount } }", {}, "BAD_USER_INPUT", "$f"),
    ("query ($f: Int) { cityObjects(first: $f) { totalCount } }", {"f": 2**40}, "BAD_USER_INPUT", "$f"),
    ("{ " + "a { " * 200 + "b" + " }" * 200 + " }", {}, "GRAPHQL_VALIDATION_FAILED", "levels of brackets"),
]

REFUSED_BY_A_FIELD = [
    (_telemetry(f"{WINDOW}, limit: -1"), "BAD_USER_INPUT", "limit"),
    (_telemetry('keys: ["vehicleCount"], startTs: 2000, endTs: 1000'), "BAD_USER_INPUT", "endTs"),
    (_telemetry(f"{WINDOW}, aggregation: AVG"), "BAD_USER_INPUT", "intervalMs"),
    (_telemetry(f"{WINDOW}, aggregation: AVG, intervalMs: -5"), "BAD_USER_INPUT", "intervalMs"),
    (_telemetry('keys: ["vehicleCount"], startTs: "yesterday", endTs: 1'), "BAD_USER_INPUT", "yesterday"),
    (_telemetry(WINDOW, STRANGER), "NOT_FOUND", STRANGER),
    (_telemetry(WINDOW, "FI-HELSINKI/model/00000000-0000-4000-8000-000000000000"), "BAD_USER_INPUT", "model"),
    (_telemetry(WINDOW, "nonsense"), "BAD_USER_INPUT", "nonsense"),
    ("{ cityObjects(first: -1) { totalCount } }", "BAD_USER_INPUT", "first"),
    ("{ cityObjects(first: 1001) { totalCount } }", "BAD_USER_INPUT", "1,000"),
    ("{ cityObjects(first: 1, last: 1) { totalCount } }", "BAD_USER_INPUT", "last"),
    (
        "{ cityObjects(filter: {boundingBox: {west: 0, south: -91, east: 1, north: 1}}) { totalCount } }",
        "BAD_USER_INPUT",
        "-91",
    ),
    (
        "{ cityObjects(filter: {near: {point: {longitude: 0, latitude: 0}, radiusMetres: 50001}}) { totalCount } }",
        "BAD_USER_INPUT",
        "50",
    ),
    ('{ cityObjects(after: "bm9uc2Vuc2U") { totalCount } }', "BAD_USER_INPUT", "cursor"),
    ('{ cityObject(id: "nonsense") { id } }', "BAD_USER_INPUT", "nonsense"),
]


@pytest.mark.parametrize(("query", "variables", "code", "message"), REFUSED_BEFORE_RUNNING)
def test_operation_when_it_cannot_be_run_then_its_errors_code_and_status_400(
    demo: Any, query: str, variables: dict[str, Any], code: str, message: str
) -> None:
    response = demo.post(query, **variables)

    answer = response.json()
    assert response.status_code == 400
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} == {code}
    assert message in answer["errors"][0]["message"]


@pytest.mark.parametrize(("query", "code", "message"), REFUSED_BY_A_FIELD)
def test_field_when_its_argument_is_wrong_then_null_with_an_error_at_its_path(demo: Any, query: str, code: str, message: str) -> None:
    response = demo.post(query)

    answer = response.json()
    (error,) = answer["errors"]
    (field,) = answer["data"]
    assert response.status_code == 200
    assert answer["data"][field] is None
    assert error["path"][0] == field
    assert error["extensions"]["code"] == error["extensions"]["errorCode"] == code
    assert error["extensions"]["instance"] == f"urn:citygraph:request:{response.headers['x-request-id']}"
    assert message in error["message"]


def test_cursor_when_it_is_another_fields_or_orders_then_refused(demo: Any) -> None:
    query = "{ cityObjects(orderBy: NAME_ASC, first: 1) { pageInfo { endCursor } } }"
    cursor = demo.ask(query)["cityObjects"]["pageInfo"]["endCursor"]

    answer = demo.post("query ($after: String) { cityObjects(orderBy: ID_ASC, after: $after) { totalCount } }", after=cursor).json()

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


def test_city_object_when_unknown_then_null_without_an_error(demo: Any) -> None:
    assert demo.ask(f'{{ cityObject(id: "{STRANGER}") {{ id }} }}') == {"cityObject": None}


def test_telemetry_when_the_key_has_no_points_then_its_series_is_empty(demo: Any) -> None:
    query = f'{{ telemetry(entityId: "{SENSOR}", keys: ["none"], startTs: 0, endTs: 1) {{ points {{ value }} series {{ values }} }} }}'

    answer = demo.ask(query)["telemetry"]

    assert answer["points"] == []
    assert [series["values"] for series in answer["series"]] == [[]]


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer x.y.z"}, {"authorization": "Basic dTpw"}, {"authorization": "Bearer"}])
def test_request_when_it_has_no_good_token_then_401_with_a_problem_that_graphql_clients_read(demo: Any, header: dict[str, str]) -> None:
    response = httpx.post(demo.endpoint, json={"query": "{ city { name } }"}, headers=header)

    problem = response.json()
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert (problem["status"], problem["code"], problem["errorCode"]) == (401, "UNAUTHENTICATED", "UNAUTHENTICATED")
    assert problem["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert {"type", "title", "detail", "instance", "traceId"} <= problem.keys()


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {}, 400, "BAD_REQUEST"),
        (b"5", {}, 400, "BAD_REQUEST"),
        (b"\xff", {}, 400, "BAD_REQUEST"),
        (b"[" * 50_000, {}, 400, "BAD_REQUEST"),
        (b"[]", {}, 400, "BAD_REQUEST"),
        (b"{}", {"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", {"accept": "image/png"}, 406, "NOT_ACCEPTABLE"),
        (b" " * 25_000_001, {}, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_request_when_it_is_not_graphql_over_http_then_a_problem_with_its_status(
    demo: Any, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    given = {"authorization": f"Bearer {demo.token}", "content-type": "application/json", **headers}

    response = httpx.post(demo.endpoint, content=content, headers=given)

    assert (response.status_code, response.json()["code"]) == (status, code)
