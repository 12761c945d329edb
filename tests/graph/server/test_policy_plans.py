"""Plans of callers with different rights: one document is planned once for each set of rights that makes a difference to it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from guarded import SDLS, Guarded, guarded, principal, told

from graph.auth.authenticate import Everybody
from graph.composing import composed
from graph.config import ConfigError, Settings
from graph.contracts import Principal, RequestContext, SubgraphSDL
from graph.engine import Federation, Surroundings, build_application
from graph.executor.transports.in_process import InProcessTransport
from graph.planner import Planner
from graph.planner.plan import Plan
from graph.server.hooks import load_hooks
from graph.server.messages import GraphQLRequest
from graph.server.policy import Policy
from graph.server.problems import Trace
from graph.supergraph.demands import AUTHENTICATED, Demands, policy, scope
from tests.federation_audit.subgraph import Behaviour, build_subgraph

QUERY = "{ docs { title body } }"
FULL, EMPTY = [{"title": title, "body": "four"} for title in ("One", "Two")], [{"title": title, "body": None} for title in ("One", "Two")]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What has been planned, in order."""
    calls: list[Any] = []
    original = Planner.plan_for

    def counted(self: Planner, normalized: Any, *arguments: Any) -> Plan:
        calls.append(normalized)
        return original(self, normalized, *arguments)

    monkeypatch.setattr(Planner, "plan_for", counted)
    return calls


async def test_document_when_two_callers_send_it_in_turn_then_each_sees_its_own() -> None:
    city = guarded()

    answers = [await city.answer(QUERY, scopes=scopes) for scopes in ((), ("doc:read",), (), ("doc:read",))]

    assert [one.body["data"]["docs"] for one in answers] == [EMPTY, FULL, EMPTY, FULL]
    assert [len(one.body.get("errors", ())) for one in answers] == [2, 0, 2, 0]


async def test_document_when_two_callers_send_it_at_once_then_each_sees_its_own() -> None:
    city = guarded()

    answers = await asyncio.gather(*(city.answer(QUERY, scopes=("doc:read",) if number % 2 else ()) for number in range(20)))

    assert [one.body["data"]["docs"] for one in answers] == [FULL if number % 2 else EMPTY for number in range(20)]


async def test_document_when_rights_make_no_difference_to_it_then_it_is_planned_once(planned: list[Any]) -> None:
    city = guarded()

    for scopes in ((), ("doc:read",), ("price:read", "top:read"), ("nothing that is known",)):
        await city.answer("{ open docs { title } }", scopes=scopes)

    assert len(planned) == 1


async def test_document_when_only_one_right_makes_a_difference_then_it_is_planned_twice(planned: list[Any]) -> None:
    city = guarded()

    for scopes in ((), ("doc:read",), ("doc:read", "price:read"), ("top:read",), ("doc:read", "top:read")):
        await city.answer(QUERY, scopes=scopes)

    assert len(planned) == 2


async def test_documents_when_their_variants_are_many_then_what_is_kept_is_bounded() -> None:
    names = [f"r{number}" for number in range(7)]
    fields = " ".join(f'{name}: String @requiresScopes(scopes: [["{name}"]])' for name in names)
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])'
    sdls = [SubgraphSDL("one", None, f"{link} type Query {{ x: X }} type X {{ {fields} }}")]
    city = guarded(sdls, composed(sdls), Settings(document_cache=65))
    with city.application.in_service.current as pipeline:
        cache = pipeline._preparer._cache
    query = f"{{ x {{ {' '.join(names)} }} }}"

    most = 0
    for number in range(100):
        await city.answer(query, scopes=[name for bit, name in enumerate(names) if number >> bit & 1])
        most = max(most, sum(len(known.variants) for known in cache._known.values()))

    assert most == 64
    await city.answer(query)
    for number in range(100):
        await city.answer(f"{{ a{number}: __typename }}")
    assert cache._plans == len(cache._known) == 65
    assert cache._characters == sum(known.cost for known in cache._known.values())


def test_grants_when_worked_out_then_they_are_what_the_schema_knows_of_roles_scopes_and_policies() -> None:
    demands = guarded_demands()
    rules = Policy(demands, lambda name, context: name == "grown-up" and context.principal.subject == "ada")

    def granted(caller: Principal) -> frozenset[str]:
        return rules.granted(RequestContext(caller, "request-1"))

    assert granted(principal(["top:read", "unknown"])) == {AUTHENTICATED, scope("top:read"), policy("grown-up")}
    assert granted(Principal("bob", "T", authenticated=False)) == frozenset()
    assert granted(principal(every=True)) == demands.words


def guarded_demands() -> Demands:
    return composed(SDLS).demands


def test_denials_when_callers_are_many_then_those_that_are_kept_are_bounded() -> None:
    rules = Policy(guarded_demands())

    for number in range(300):
        rules.denied(frozenset({f"scope {number}"}))

    assert len(rules._denied) == 256


HOOKS = """
class Grown:
    def policy(self, name, context):
        return name == "grown-up" and context.headers.get("x-age") == "40"
class Async:
    async def policy(self, name, context):
        return True
class Broken:
    def policy(self, name, context):
        return "yes"
"""


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    (tmp_path / "hooks_of_policy_test.py").write_text(HOOKS)
    return tmp_path


async def test_policy_when_a_hook_says_so_then_it_is_met_and_else_not(hooks: Path) -> None:
    city = guarded(settings=Settings(hooks=("hooks_of_policy_test:Grown",), hooks_dir=hooks))

    async def ask(**headers: str) -> int:
        context = RequestContext(principal(), "request-1", {name.replace("_", "-"): value for name, value in headers.items()})
        return await _status(city, context)

    assert [await ask(), await ask(x_age="40"), await ask(x_age="17")] == [403, 200, 403]


async def test_policy_when_a_hook_answers_something_else_then_nothing_runs(hooks: Path) -> None:
    city = guarded(settings=Settings(hooks=("hooks_of_policy_test:Broken",), hooks_dir=hooks))

    assert await _status(city, RequestContext(principal(), "request-1")) == 500
    assert city.sent == []


def test_policy_when_its_hook_is_asynchronous_then_it_is_refused_at_the_start(hooks: Path) -> None:
    with pytest.raises(ConfigError, match="policy cannot be asynchronous"):
        load_hooks(["hooks_of_policy_test:Async"], hooks, 1.0)


async def _status(city: Guarded, context: RequestContext) -> int:
    with city.application.in_service.current as pipeline:
        return (await pipeline.answer(GraphQLRequest("{ ruled }", {}), context, Trace("request-1", "f" * 32))).status


TOP = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
type Query { open: String top: String @requiresScopes(scopes: [["top:read"]]) }
"""


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "*/*"])
async def test_http_when_a_root_field_is_forbidden_then_the_status_is_403_whatever_is_accepted(accept: str) -> None:
    """TC-02: 403 with problem details."""
    behaviour = Behaviour(resolvers={"*": {"Query.open": lambda _source: "open", "Query.top": lambda _source: "top"}})
    transport = InProcessTransport(build_subgraph("one", TOP, behaviour), lambda context: context)
    federation = Federation(composed([SubgraphSDL("one", None, TOP)]), {"one": transport})
    application = build_application(Settings(), federation, Surroundings("a test", Everybody(principal())))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://city") as client:
        forbidden = await client.post("/graphql", json={"query": "{ open top }"}, headers={"accept": accept})
        wrong = await client.post("/graphql", json={"query": "{ nothing }"}, headers={"accept": "application/json"})

    assert forbidden.status_code == 403
    body = forbidden.json()
    assert body["data"] is None
    (error,) = body["errors"]
    assert (
        error["extensions"].items() >= {"status": 403, "title": "Forbidden", "code": "FORBIDDEN", "requiredScopes": [["top:read"]]}.items()
    )
    assert wrong.status_code == 200


async def test_refused_operation_when_it_is_sent_often_then_it_is_prepared_once(planned: list[Any]) -> None:
    city = guarded()

    answers = [await city.answer("{ top }") for _ in range(3)]

    assert [told(one)[0][0] for one in answers] == ["FORBIDDEN"] * 3
    assert planned == []
