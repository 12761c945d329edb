"""The subgraph `scenarios`: simulation scenarios, what can be asked of them and done to them."""

from functools import cache, partial
from typing import Any

import strawberry
from strawberry import UNSET

from graph.errors import BadUserInput, NotFound
from graph.rights import Scope, any_of
from resolvers.scenarios import commands, queries, records
from resolvers.scenarios.records import ScenarioDraft, ScenarioFilter, ScenarioOrder, ScenarioStatus, TimeSpan
from subgraphs.arguments import given
from subgraphs.connections import Cursors, Listing, window
from subgraphs.context import Port, SliceContext
from subgraphs.federation import FederationSchema
from subgraphs.scalars import JSONObject
from subgraphs.scenarios.live import Subscription
from subgraphs.scenarios.types import (
    CityObject,
    Info,
    Scenario,
    ScenarioConnection,
    connection,
    load_scenario,
    object_key,
    read_statuses,
    scenario,
    scenario_key,
)
from subgraphs.values import TimeRangeInput, read_range

ENTITIES: Port[commands.Entities] = Port("scenarios.entities")
"""To be connected to the slice of city objects."""
DEPENDANTS: Port[commands.Dependants] = Port("scenarios.dependants")
"""To be connected to the slice that keeps simulated points."""

MAX_CITIES = 1_000
READ = any_of(Scope.SCENARIOS_READ)
WRITE = any_of(Scope.SCENARIOS_WRITE)


async def _scenario(info: Info, id: strawberry.ID) -> Scenario | None:
    return await load_scenario(info.context, scenario_key(id, info.context.home_city))


async def _scenarios(
    info: Info,
    cities: list[strawberry.ID] | None = UNSET,
    entity_id: strawberry.ID | None = UNSET,
    status: list[ScenarioStatus] | None = UNSET,
    order_by: ScenarioOrder = ScenarioOrder.CREATED_AT_DESC,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> ScenarioConnection | None:
    context, named, entity = info.context, given(cities), given(entity_id)
    if named is not None and len(named) > MAX_CITIES:
        raise BadUserInput(f"`cities` names {len(named):,} cities: expected at most {MAX_CITIES:,}")
    wanted = ScenarioFilter(
        cities=None if named is None else tuple(sorted(set(named))),
        entity=None if entity is None else object_key(entity, context.home_city),
        status=read_statuses(given(status)),
    )
    cursors = Cursors.under("scenarios", order_by, queries.POSITIONS[order_by], wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    page = await queries.scenarios(context.store, context.tenant, wanted, order_by, asked)
    count = partial(queries.count_scenarios, context.store, context.tenant, wanted)
    return connection(Listing(page, cursors, partial(queries.position_of, order=order_by), scenario, count))


@strawberry.type
class Query:
    scenario: Scenario | None = strawberry.federation.field(resolver=_scenario, requires_scopes=READ)
    scenarios: ScenarioConnection | None = strawberry.federation.field(resolver=_scenarios, requires_scopes=READ)


@strawberry.input
class CreateScenarioInput:
    name: str
    description: str | None = UNSET
    entity_id: strawberry.ID
    parameters: JSONObject | None = UNSET
    time_range: TimeRangeInput | None = UNSET
    idempotency_key: str | None = UNSET


@strawberry.input
class UpdateScenarioInput:
    id: strawberry.ID
    if_version: int
    name: str | None = UNSET
    description: str | None = UNSET
    parameters: JSONObject | None = UNSET
    time_range: TimeRangeInput | None = UNSET


@strawberry.input
class SetScenarioStatusInput:
    id: strawberry.ID
    status: ScenarioStatus


@strawberry.input
class DeleteScenarioInput:
    id: strawberry.ID


@strawberry.federation.type(requires_scopes=WRITE)
class ScenarioPayload:
    scenario: Scenario


@strawberry.federation.type(requires_scopes=WRITE)
class DeleteScenarioPayload:
    deleted_id: strawberry.ID


async def _create_scenario(info: Info, input: CreateScenarioInput) -> ScenarioPayload | None:
    context = info.context
    city, entity = object_key(input.entity_id, context.home_city)
    if city != context.home_city:
        raise NotFound(f"There is no city object {input.entity_id!r} in this city")
    uuid = await commands.create(
        context.store,
        context.service(ENTITIES),
        tenant=context.tenant,
        city=city,
        subject=context.subject,
        draft=ScenarioDraft(input.name, entity, given(input.description), given(input.parameters), _span(given(input.time_range))),
        idempotency_key=given(input.idempotency_key),
        now=context.now(),
    )
    created = await load_scenario(context, (city, uuid))
    if created is None:
        raise NotFound(f"The scenario {city}/scenario/{uuid}, which this key made, has been deleted since")
    return ScenarioPayload(scenario=created)


async def _update_scenario(info: Info, input: UpdateScenarioInput) -> ScenarioPayload | None:
    context = info.context
    sent: dict[str, Any] = {"name": input.name, "description": input.description, "parameters": input.parameters}
    changes = {name: value for name, value in sent.items() if value is not UNSET}
    if input.time_range is not UNSET:
        changes["time_range"] = _span(input.time_range)
    changed = await commands.update(
        context.store,
        tenant=context.tenant,
        key=scenario_key(input.id, context.home_city),
        if_version=input.if_version,
        changes=changes,
        now=context.now(),
    )
    return _payload(context, changed)


async def _set_scenario_status(info: Info, input: SetScenarioStatusInput) -> ScenarioPayload | None:
    context = info.context
    changed = await commands.set_status(
        context.store,
        tenant=context.tenant,
        key=scenario_key(input.id, context.home_city),
        status=input.status,
        now=context.now(),
    )
    return _payload(context, changed)


async def _delete_scenario(info: Info, input: DeleteScenarioInput) -> DeleteScenarioPayload | None:
    context = info.context
    key = scenario_key(input.id, context.home_city)
    await commands.delete(context.store, context.service(DEPENDANTS), tenant=context.tenant, key=key)
    return DeleteScenarioPayload(deleted_id=strawberry.ID(f"{key[0]}/scenario/{key[1]}"))


def _payload(context: SliceContext, changed: records.Scenario) -> ScenarioPayload:
    """What an earlier field of the request has loaded is older than this."""
    context.loaders.pop("scenarios.by_key", None)
    return ScenarioPayload(scenario=scenario(changed))


def _span(range: TimeRangeInput | None) -> TimeSpan | None:
    return None if range is None else TimeSpan(*read_range("timeRange", range))


@strawberry.type
class Mutation:
    create_scenario: ScenarioPayload | None = strawberry.federation.field(resolver=_create_scenario, requires_scopes=WRITE)
    update_scenario: ScenarioPayload | None = strawberry.federation.field(resolver=_update_scenario, requires_scopes=WRITE)
    set_scenario_status: ScenarioPayload | None = strawberry.federation.field(
        resolver=_set_scenario_status,
        requires_scopes=WRITE,
        description="CREATED → QUEUED → RUNNING → COMPLETED or FAILED; FAILED → QUEUED. Any other step is a CONFLICT.",
    )
    delete_scenario: DeleteScenarioPayload | None = strawberry.federation.field(resolver=_delete_scenario, requires_scopes=WRITE)


@cache
def build() -> FederationSchema:
    return FederationSchema(Query, mutation=Mutation, subscription=Subscription, types=[CityObject])
