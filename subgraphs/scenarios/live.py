"""Scenarios' live events: each change of a status, told to those who chose the scenario, its entity, or its city."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import Event, GlobalId
from graph.errors import BadUserInput
from graph.rights import Scope, any_of
from resolvers.scenarios.records import CHANNEL, ScenarioStatus
from resolvers.stores.feed import journal_feed
from subgraphs.arguments import given
from subgraphs.scenarios.types import VISIBLE, Info, Scenario, load_scenario, object_key, scenario_key
from subgraphs.subscriptions import read_number, write_cursor

FIELD = "scenarioStatusChanged"
MAX_SCENARIOS = 1_000

Chosen = Callable[[str, UUID, UUID], bool]
"""Whether an event is wanted, by its city, scenario and entity."""


@strawberry.input(one_of=True)
class ScenarioSelector:
    entity_id: strawberry.ID | None = UNSET
    scenario_ids: list[strawberry.ID] | None = UNSET
    city: strawberry.ID | None = UNSET


async def _scenario(root: "ScenarioStatusChange", info: Info) -> Scenario | None:
    return await load_scenario(info.context, scenario_key(root.scenario_id, info.context.home_city))


@strawberry.federation.type(requires_scopes=VISIBLE)
class ScenarioStatusChange:
    cursor: str
    scenario_id: strawberry.ID
    status: ScenarioStatus
    scenario: Scenario | None = strawberry.field(resolver=_scenario)


def chosen(of: ScenarioSelector, home_city: str) -> Chosen:
    """Raises `BadUserInput`."""
    entity, scenarios, city = given(of.entity_id), given(of.scenario_ids), given(of.city)
    if entity is not None:
        entity_key = object_key(entity, home_city)
        return lambda city, _scenario, entity: (city, entity) == entity_key
    if scenarios is not None:
        if len(scenarios) > MAX_SCENARIOS:
            raise BadUserInput(f"`scenarioIds` names {len(scenarios):,} scenarios: expected at most {MAX_SCENARIOS:,}")
        keys = {scenario_key(id, home_city) for id in scenarios}
        return lambda city, scenario, _entity: (city, scenario) in keys
    return lambda found, _scenario, _entity: found == city


async def _scenario_status_changed(
    info: Info, of: ScenarioSelector, after: str | None = UNSET
) -> AsyncGenerator[ScenarioStatusChange, None]:
    context = info.context
    wanted = chosen(of, context.home_city)
    cursor = given(after)
    start = None if cursor is None else read_number(FIELD, cursor)
    async with aclosing(journal_feed(context.store, context.events, context.tenant, CHANNEL, start)) as events:
        async for event in events:
            city, scenario, entity = event.payload["city"], UUID(event.payload["scenario"]), UUID(event.payload["entity"])
            if wanted(city, scenario, entity):
                yield _change(event, GlobalId(city, "scenario", scenario))


def _change(event: Event, scenario: GlobalId) -> ScenarioStatusChange:
    return ScenarioStatusChange(
        cursor=write_cursor(FIELD, event.seq),
        scenario_id=strawberry.ID(str(scenario)),
        status=ScenarioStatus(event.payload["status"]),
    )


@strawberry.type
class Subscription:
    scenario_status_changed: AsyncGenerator[ScenarioStatusChange, None] = strawberry.federation.field(
        resolver=_scenario_status_changed, is_subscription=True, requires_scopes=any_of(Scope.SCENARIOS_READ)
    )
