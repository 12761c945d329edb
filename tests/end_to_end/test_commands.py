"""The command line as people and scripts meet it: what goes to stdout, what to stderr, and with which status it ends."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import CITYGRAPH, clean_environment, start_demo, stop

ACCOUNTS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { me: User }
type User @key(fields: "id") { id: ID! name: String }
"""
REVIEWS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type User @key(fields: "id") { id: ID! reviews: [Review!] }
type Review { body: String }
"""


def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(CITYGRAPH), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=clean_environment(**environment))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "sdl").mkdir()
    (tmp_path / "sdl" / "accounts.graphql").write_text(ACCOUNTS)
    (tmp_path / "sdl" / "reviews.graphql").write_text(REVIEWS)
    path = tmp_path / "federation.yaml"
    path.write_text(
        "subgraphs:\n"
        "  accounts: {url: 'http://127.0.0.1:1/graphql', schema: sdl/accounts.graphql}\n"
        "  reviews: {url: 'http://127.0.0.1:1/graphql', schema: sdl/reviews.graphql}\n"
    )
    return path


def test_compose_then_plan_when_given_files_then_supergraph_and_plan_on_stdout(config: Path, tmp_path: Path) -> None:
    supergraph, query = tmp_path / "supergraph.graphql", tmp_path / "query.graphql"
    query.write_text("query Me { me { name reviews { body } } } query Other { __typename }")

    printed, written = run("compose", config), run("compose", config, "-o", supergraph)
    text = run("plan", "--supergraph", supergraph, query, "--operation-name", "Me")
    plan = run("plan", "--supergraph", supergraph, query, "--operation-name", "Me", "--format", "json")

    assert (printed.returncode, written.returncode, text.returncode, plan.returncode) == (0, 0, 0, 0)
    assert supergraph.read_text() == printed.stdout
    assert written.stdout == ""
    assert "accounts" in text.stdout
    tree = json.loads(plan.stdout)
    assert tree["kind"] == "Sequence"
    first, second = tree["nodes"]
    assert (first["kind"], first["subgraph"], first["operation"]) == ("Fetch", "accounts", "{ me { name id } }")
    assert (second["kind"], second["path"], second["node"]["subgraph"]) == ("Flatten", "me", "reviews")


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("graph", "accounts: User\n  .id → ID!\n  .name → String\n  ⇒ reviews: User by { id }\n"),
        ("paths", "body\n  * accounts.me ⇒ reviews(me).reviews.body  [0:accounts, 1:reviews]\n"),
        ("fetches", "0: accounts, level 0, root\n1: reviews, level 1, me, after 0\n"),
        ("plan", 'QueryPlan {\n  Sequence {\n    Fetch(subgraph: "accounts") {\n      { me { name id } }\n    }\n'),
    ],
)
def test_plan_when_asked_for_a_stage_then_that_one_on_stdout(config: Path, tmp_path: Path, stage: str, expected: str) -> None:
    supergraph, query = tmp_path / "supergraph.graphql", tmp_path / "query.graphql"
    query.write_text("{ me { name reviews { body } } }")
    run("compose", config, "-o", supergraph)

    done = run("plan", "--supergraph", supergraph, query, "--stage", stage)

    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def test_plan_when_a_label_holds_then_the_new_subgraph_is_asked(config: Path, tmp_path: Path) -> None:
    supergraph, query = tmp_path / "supergraph.graphql", tmp_path / "query.graphql"
    query.write_text("{ me { name } }")
    new = REVIEWS.replace("v2.3", "v2.7").replace('["@key"]', '["@key", "@override"]')
    new = new.replace("id: ID!", 'id: ID! name: String @override(from: "accounts", label: "beta")')
    (config.parent / "sdl" / "reviews.graphql").write_text(new)
    assert run("compose", config, "-o", supergraph).returncode == 0

    before = run("plan", "--supergraph", supergraph, query, "--stage", "fetches")
    after = run("plan", "--supergraph", supergraph, query, "--stage", "fetches", "--label", "beta")
    wrong = run("plan", "--supergraph", supergraph, query, "--label", "gamma")

    assert before.stdout == "0: accounts, level 0, root\n"
    assert after.stdout == "0: accounts, level 0, root\n1: reviews, level 1, me, after 0\n"
    assert (wrong.returncode, "no `@override` has the label 'gamma'; the labels are: beta" in wrong.stderr) == (2, True)


def test_compose_when_subgraphs_disagree_then_codes_on_stdout_and_status_1(config: Path) -> None:
    (config.parent / "sdl" / "reviews.graphql").write_text(REVIEWS.replace("id: ID!", "id: ID! name: String"))

    done = run("compose", config)

    assert done.returncode == 1
    assert done.stdout.startswith("INVALID_FIELD_SHARING: ")


def test_compose_when_it_watches_then_the_file_follows_and_errors_leave_it_as_it_is(config: Path, tmp_path: Path) -> None:
    reviews, supergraph, printed = config.parent / "sdl" / "reviews.graphql", tmp_path / "supergraph.graphql", tmp_path / "printed"
    config.write_text(config.read_text() + "reload_files_s: 0.05\n")
    with printed.open("w") as stdout:
        command = [str(CITYGRAPH), "compose", str(config), "-o", str(supergraph), "--watch"]
        process = subprocess.Popen(command, stdout=stdout, env=clean_environment())
    try:
        _until(supergraph.exists)
        first = supergraph.read_text()
        reviews.write_text(REVIEWS.replace("id: ID!", "id: ID! name: String"))
        _until(lambda: "INVALID_FIELD_SHARING: " in printed.read_text())
        meanwhile = supergraph.read_text()
        reviews.write_text(REVIEWS.replace("body: String", "body: String stars: Int"))
        _until(lambda: supergraph.read_text() != first)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(timeout=15)

    assert meanwhile == first
    assert "stars: Int" in supergraph.read_text()
    assert printed.read_text().count("INVALID_FIELD_SHARING: ") == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "No such command"),
        (("compose",), "Missing argument"),
        (("compose", "none.yaml"), "none.yaml cannot be read"),
        (("compose", "none.yaml", "--watch"), "--watch needs --output"),
        (("gateway",), "give --supergraph, or --config with subgraphs"),
        (("gateway", "--supergraph", "none.graphql", "--no-auth"), "none.graphql cannot be read"),
        (("gateway", "--supergraph", "none.graphql"), "no identity provider is configured"),
        (("gateway", "--supergraph", "none.graphql", "--no-auth", "--host", "0.0.0.0"), "loopback only"),
        (("serve",), "no identity provider is configured: set KEYCLOAK_URL"),
        (("demo", "--host", "0.0.0.0"), "loopback only"),
        (("demo", "--port", "70000"), "65535"),
        (("token",), "Missing option '--role'"),
        (("token", "--role", "king"), "there is no role 'king'"),
        (("token", "--role", "admin", "--ttl", "100000000"), "--ttl"),
        (("plan", "--supergraph", "none.graphql", "none.graphql", "--format", "xml"), "xml"),
        (("plan", "--supergraph", "none.graphql", "none.graphql", "--stage", "soup"), "soup"),
        (("plan", "--supergraph", "none.graphql", "none.graphql", "--stage", "paths", "--format", "json"), "text only"),
        (("import", "osm", "none.osm.pbf"), "Missing option '--city'"),
    ],
)
def test_command_when_used_wrongly_then_status_2_and_the_fault_on_stderr(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments, DATA_DIR=str(tmp_path))

    assert (done.returncode, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_serve_when_the_environment_has_a_bad_value_then_the_variable_is_named() -> None:
    done = run("serve", PORT="many")

    assert (done.returncode, done.stdout) == (2, "")
    assert "PORT: 'many' cannot be used" in done.stderr


def test_serve_when_the_store_has_no_tables_then_said_with_what_to_do(tmp_path: Path) -> None:
    done = run("serve", "--port", "0", KEYCLOAK_URL="https://id.example", DATA_DIR=str(tmp_path))

    assert done.returncode == 2
    assert "the store has no tables yet: run `citygraph migrate`" in done.stderr


def test_serve_when_cors_would_let_everybody_in_then_refused() -> None:
    done = run("serve", KEYCLOAK_URL="https://id.example", CORS_ALLOWED_ORIGINS="*")

    assert done.returncode == 2
    assert "`*` is for the demo only" in done.stderr


@pytest.mark.parametrize("command", ["demo", "serve", "gateway", "compose", "plan", "token", "migrate", "import", "export-schema"])
def test_command_when_asked_for_help_then_it_explains_itself(command: str) -> None:
    done = run(command, "--help")

    assert done.returncode == 0
    assert "Usage: citygraph " + command in done.stdout


def test_export_schema_when_held_against_the_committed_one_then_equal() -> None:
    done = run("export-schema")

    assert done.returncode == 0
    assert done.stdout == (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8")


def test_gateway_when_its_subgraph_is_down_then_it_serves_and_says_so_in_the_field(config: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [str(CITYGRAPH), "gateway", "--config", str(config), "--no-auth", "--port", "0"], stderr=stderr, env=clean_environment()
        )
    try:
        endpoint = _endpoint(log, process)
        answer = httpx.post(endpoint, json={"query": "{ me { name } __typename }"}).json()
        health = httpx.get(endpoint.replace("/graphql", "/api/v1/health"))
    finally:
        process.terminate()
        status = process.wait(timeout=15)

    assert answer["data"] == {"me": None, "__typename": "Query"}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["SUBGRAPH_ERROR"]
    assert health.json() == {"status": "UP"}
    assert status == 0


def test_token_when_made_by_the_command_then_the_demo_accepts_it(demo: Any) -> None:
    done = run("token", "--role", "dt_viewer", "--subject", "anna", "--data-dir", demo.data_dir)

    answer = httpx.post(
        demo.endpoint, json={"query": "{ viewer { subject roles } }"}, headers={"authorization": f"Bearer {done.stdout.strip()}"}
    )

    assert answer.json() == {"data": {"viewer": {"subject": "anna", "roles": ["dt_viewer"]}}}


def test_tenant_when_another_one_asks_then_there_is_nothing_to_see(demo: Any) -> None:
    token = run("token", "--role", "dt_viewer", "--tenant", "SOMEBODY-ELSE", "--data-dir", demo.data_dir).stdout.strip()

    answer = httpx.post(
        demo.endpoint,
        json={"query": "{ cities { id } cityObjects { totalCount } }"},
        headers={"authorization": f"Bearer {token}"},
    )

    assert answer.json()["data"]["cityObjects"] == {"totalCount": 0}


def test_demo_when_its_issuer_is_asked_then_discovery_and_keys_without_a_token(demo: Any) -> None:
    base = demo.endpoint.removesuffix("/graphql")

    discovery = httpx.get(f"{base}/.well-known/openid-configuration").json()
    keys = httpx.get(discovery["jwks_uri"]).json()

    assert discovery["issuer"] == base
    assert [sorted(key) for key in keys["keys"]] == [["alg", "e", "kid", "kty", "n", "use"]]
    assert (demo.data_dir / "issuer.json").stat().st_mode & 0o777 == 0o600


def test_port_when_in_use_then_said_plainly_with_status_1(demo: Any, tmp_path: Path) -> None:
    port = demo.endpoint.rpartition(":")[2].partition("/")[0]

    done = run("demo", "--port", port, "--data-dir", tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"citygraph: port {port} on 127.0.0.1 is in use; choose another with --port or PORT\n"


def test_demo_when_started_again_then_nothing_is_imported_twice_and_sigterm_ends_it_with_0(demo: Any, tmp_path: Path) -> None:
    with (demo.data_dir / "citygraph.db").open("rb") as store:
        copy = tmp_path / "data"
        copy.mkdir()
        (copy / "citygraph.db").write_bytes(store.read())
    counts = demo.ask("{ cityObjects { totalCount } }")

    again = start_demo(copy)
    try:
        same = again.ask("{ cityObjects { totalCount } }")
    finally:
        status = stop(again)

    assert same == counts
    assert "created" not in again.log.read_text()
    assert status == 0


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _endpoint(log: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + 60
    while "GraphQL at " not in (text := log.read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text.partition("GraphQL at ")[2].split()[0]
