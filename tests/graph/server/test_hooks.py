"""Hooks at each stage, over real sockets to subgraphs, and the example of `docs/hooks.md` as it stands there."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema

from graph.config import ConfigError, load_settings
from graph.engine import build_gateway
from graph.server.hooks import NO_HOOKS, load_hooks
from graph.sources import SchemaSource
from tests.fakes.servers import Subgraph, served

SDL = "type Query { me: String  you: String }"
MODULES = iter(range(1_000_000))


@pytest.fixture
async def accounts() -> AsyncIterator[tuple[Subgraph, str]]:
    subgraph = Subgraph(build_schema(SDL), {"me": "Anna", "you": "Bert"})
    async with served(subgraph.application) as url:
        yield subgraph, f"{url}/graphql"


def _module(folder: Path, code: str) -> str:
    """The module's name: modules stay imported, so each test needs its own."""
    name = f"hooks_of_test_{next(MODULES)}"
    (folder / f"{name}.py").write_text(code)
    return name


@asynccontextmanager
async def _gateway(folder: Path, url: str, code: str, *classes: str) -> AsyncIterator[httpx.AsyncClient]:
    (folder / "accounts.graphql").write_text(SDL)
    module = _module(folder, code)
    config = folder / "federation.yaml"
    hooks = ", ".join(f"'{module}:{name}'" for name in classes)
    config.write_text(f"hooks: [{hooks}]\nhook_timeout_s: 0.2\nsubgraphs:\n  accounts: {{url: '{url}', schema: accounts.graphql}}\n")
    application = await build_gateway(SchemaSource(lambda: load_settings(config, environ={}), config), no_auth=True)
    async with served(application) as base, httpx.AsyncClient(base_url=base) as client:
        yield client


async def _ask(client: httpx.AsyncClient, query: str, **more: Any) -> Any:
    return (await client.post("/graphql", json={"query": query, **more})).json()


async def test_example_of_the_documentation_when_run_then_it_does_what_it_says(accounts: tuple[Subgraph, str], tmp_path: Path) -> None:
    subgraph, url = accounts
    page = (Path(__file__).parents[3] / "docs" / "hooks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)

    async with _gateway(tmp_path, url, code, "CityHooks") as client:
        nameless = await _ask(client, "{ me }")
        named = await _ask(client, "query Me { me }", operationName="Me")

    assert nameless["errors"][0]["message"] == "operations need a name here: send `operationName`"
    assert nameless["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert nameless["extensions"] == {"answered": 1}
    assert named == {"data": {"me": "Anna"}, "extensions": {"answered": 2}}
    signature = hmac.new(b"the secret that we share", subgraph.bodies[0]["query"].encode(), hashlib.sha256).hexdigest()
    assert [headers.get("x-signature") for headers in subgraph.headers] == [signature]


ALL = """
from dataclasses import replace
SEEN = []
class All:
    {0}def on_operation(self, request, context):
        SEEN.append("operation")
        return replace(request, query="{{ me you }}")
    {0}def on_plan(self, plan, request, context):
        SEEN.append(f"plan {{plan.fetches[0].subgraph}} {{request.query}}")
    {0}def on_fetch(self, subgraph, request, context):
        SEEN.append(f"fetch {{subgraph}} {{context.principal.subject}}")
        return replace(request, document="{{ me you: me }}")
    {0}def on_response(self, answer, request, context):
        SEEN.append("response")
        return replace(answer, body={{**answer.body, "extensions": {{"seen": SEEN}}}})
"""


@pytest.mark.parametrize("prefix", ["", "async "])
async def test_hooks_when_they_return_something_else_then_that_is_used_from_there(
    accounts: tuple[Subgraph, str], tmp_path: Path, prefix: str
) -> None:
    async with _gateway(tmp_path, accounts[1], ALL.format(prefix), "All") as client:
        answer = await _ask(client, "{ me }")

    assert answer == {
        "data": {"me": "Anna", "you": "Anna"},
        "extensions": {"seen": ["operation", "plan accounts { me you }", "fetch accounts anonymous", "response"]},
    }


async def test_hooks_when_of_several_classes_then_called_in_their_order(accounts: tuple[Subgraph, str], tmp_path: Path) -> None:
    code = """
from dataclasses import replace
class A:
    def on_response(self, answer, request, context):
        return replace(answer, body={**answer.body, "extensions": {"by": answer.body.get("extensions", {}).get("by", "") + "A"}})
class B:
    def on_response(self, answer, request, context):
        return replace(answer, body={**answer.body, "extensions": {"by": answer.body.get("extensions", {}).get("by", "") + "B"}})
"""
    async with _gateway(tmp_path, accounts[1], code, "B", "A") as client:
        answer = await _ask(client, "{ me }")

    assert answer["extensions"] == {"by": "BA"}


FAULTS = {
    "on_operation(self, request, context)": ("request", 'raise RuntimeError("the secret reason")', "the secret reason"),
    "on_plan(self, plan, request, context)": ("request", "return 5", "it returned int, where NoneType is expected"),
    "on_fetch(self, subgraph, request, context)": ("field", 'return "x"', "it returned str, where SubgraphRequest is expected"),
    "on_response(self, answer, request, context)": ("request", "return {}", "it returned dict, where Answer is expected"),
}


@pytest.mark.parametrize("signature", FAULTS)
async def test_hook_when_it_fails_then_a_neutral_error_and_a_line_in_the_log(
    accounts: tuple[Subgraph, str], tmp_path: Path, caplog: pytest.LogCaptureFixture, signature: str
) -> None:
    where, fault, reason = FAULTS[signature]

    async with _gateway(tmp_path, accounts[1], f"class Bad:\n    def {signature}:\n        {fault}\n", "Bad") as client:
        answer = await _ask(client, "{ me }")

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["message"].startswith("a hook of this gateway failed")
    assert ("data" in answer, error.get("path")) == ((True, ["me"]) if where == "field" else (False, None))
    (record,) = caplog.records
    assert record.getMessage().startswith("hook hooks_of_test_")
    assert f".{signature.partition('(')[0]} failed: {reason}" in record.getMessage()


async def test_hook_when_it_never_ends_then_given_up_after_its_time(accounts: tuple[Subgraph, str], tmp_path: Path) -> None:
    code = "import asyncio\nclass Slow:\n    async def on_operation(self, request, context):\n        await asyncio.sleep(60)\n"

    async with _gateway(tmp_path, accounts[1], code, "Slow") as client, asyncio.timeout(10):
        answer = await _ask(client, "{ me }")

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("nonsense", "", "expected `module:Class`"),
        ("no_such_module_here:A", "", "cannot be loaded: ModuleNotFoundError"),
        ("{module}:B", "class A: pass", "has no 'B'"),
        ("{module}:A", "class A: pass", "it has no hook; hooks are on_operation"),
        ("{module}:A", "class A:\n    def on_operaton(self): pass", "there is no hook 'on_operaton'"),
        ("{module}:A", "class A:\n    def __init__(self): raise ValueError('no database')", "ValueError: no database"),
        ("{module}:A", "class A:\n    async def override_label(self, label, context): ...", "cannot be asynchronous"),
    ],
)
def test_hooks_when_they_cannot_be_loaded_then_said_why(tmp_path: Path, name: str, code: str, message: str) -> None:
    named = name.format(module=_module(tmp_path, code))

    with pytest.raises(ConfigError, match=re.escape(message)):
        load_hooks([named], tmp_path, 5.0)


def test_hooks_when_there_are_none_then_transports_are_the_same_objects() -> None:
    transports: dict[str, Any] = {"a": object()}

    assert load_hooks([], Path(), 5.0) == NO_HOOKS
    assert NO_HOOKS.around(transports) is transports


@pytest.fixture
def overriding(tmp_path: Path) -> Iterator[Path]:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@override", "@shareable"])\n'
    (tmp_path / "old.graphql").write_text(link + "type Query { price: String }")
    (tmp_path / "new.graphql").write_text(link + 'type Query { price: String @override(from: "old", label: "beta") }')
    yield tmp_path


async def test_override_when_a_hook_decides_by_request_then_each_label_has_its_plan(overriding: Path) -> None:
    old, new = (Subgraph(build_schema("type Query { price: String }"), {"price": name}) for name in ("old", "new"))
    code = "class Beta:\n    def override_label(self, label, context):\n        return label == 'beta' and 'x-beta' in context.headers\n"
    module = _module(overriding, code)

    async with served(old.application) as old_url, served(new.application) as new_url:
        config = overriding / "federation.yaml"
        config.write_text(
            f"hooks: ['{module}:Beta']\nsubgraphs:\n"
            f"  old: {{url: '{old_url}/graphql', schema: old.graphql}}\n  new: {{url: '{new_url}/graphql', schema: new.graphql}}\n"
        )
        application = await build_gateway(SchemaSource(lambda: load_settings(config, environ={}), config), no_auth=True)
        async with served(application) as base, httpx.AsyncClient(base_url=base) as client:
            requests = [client.post("/graphql", json={"query": "{ price }"}, headers=headers) for headers in ({}, {"x-beta": "1"}) * 2]
            answers = [(await request).json() for request in requests]

    assert [answer["data"]["price"] for answer in answers] == ["old", "new", "old", "new"]
