"""How a scenario looks in GraphQL, the lists of scenarios, and what every city object has of them."""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.contracts import GlobalId
from graph.errors import BadUserInput
from graph.rights import Scope, any_of
from resolvers.scenarios import queries, records
from resolvers.scenarios.loaders import EntityScenarioCountLoader, EntityScenariosLoader, ScenarioLoader
from resolvers.scenarios.records import ScenarioFilter, ScenarioOrder, ScenarioStatus
from subgraphs.arguments import given
from subgraphs.connections import Connection, Cursors, Listing, window
from subgraphs.context import SliceContext
from subgraphs.directives import PersonalData, semantic
from subgraphs.node import Node
from subgraphs.scalars import JSONObject, Timestamp
from subgraphs.values import TimeRange

Info: TypeAlias = strawberry.Info[SliceContext, None]

strawberry.enum(ScenarioStatus)
strawberry.enum(ScenarioOrder)

VISIBLE = any_of(Scope.SCENARIOS_READ, Scope.SCENARIOS_WRITE)
"""Who may write scenarios sees those that it wrote."""


def _entity(root: "Scenario") -> "CityObject":
    return CityObject(id=root.entity_id)


@strawberry.federation.type(keys=["id"], requires_scopes=VISIBLE)
class Scenario(Node):
    key: strawberry.Private[records.ScenarioKey]

    id: strawberry.ID = strawberry.federation.field(directives=[semantic("simulation:scenarioId")])
    uuid: UUID
    name: str = strawberry.federation.field(directives=[semantic("simulation:name")])
    description: str | None = strawberry.federation.field(directives=[semantic("simulation:description")])
    entity_id: strawberry.ID = strawberry.federation.field(directives=[semantic("dt:entityId")])
    entity: "CityObject | None" = strawberry.field(resolver=_entity)
    created_by: str = strawberry.federation.field(directives=[semantic("iam:principal"), PersonalData(pseudonymous=True)])
    created_at: Timestamp = strawberry.federation.field(directives=[semantic("time:createdAt")])
    updated_at: Timestamp
    status: ScenarioStatus = strawberry.federation.field(directives=[semantic("simulation:status")])
    parameters: JSONObject | None = strawberry.federation.field(directives=[semantic("simulation:parameters")])
    time_range: TimeRange | None = strawberry.federation.field(directives=[semantic("time:range")])
    version: int

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Scenario | None":
        return await load_scenario(info.context, scenario_key(id, info.context.home_city))


@strawberry.federation.type(requires_scopes=VISIBLE)
class ScenarioEdge:
    cursor: str
    node: Scenario


def _edges(root: "ScenarioConnection") -> list[ScenarioEdge]:
    listing = root.listing
    return [ScenarioEdge(cursor=listing.cursor(item), node=listing.node(item)) for item in listing.page.items]


def _nodes(root: "ScenarioConnection") -> list[Scenario]:
    return root.listing.nodes()


@strawberry.federation.type(requires_scopes=VISIBLE)
class ScenarioConnection(Connection):
    edges: list[ScenarioEdge] = strawberry.field(resolver=_edges)
    nodes: list[Scenario] = strawberry.field(resolver=_nodes)


async def _scenarios(
    root: "CityObject",
    info: Info,
    status: list[ScenarioStatus] | None = UNSET,
    order_by: ScenarioOrder = ScenarioOrder.CREATED_AT_DESC,
    first: int | None = UNSET,
    after: str | None = UNSET,
    last: int | None = UNSET,
    before: str | None = UNSET,
) -> ScenarioConnection | None:
    context = info.context
    entity = object_key(root.id, context.home_city)
    wanted = ScenarioFilter(status=read_statuses(given(status)))
    cursors = Cursors.under("CityObject.scenarios", order_by, queries.POSITIONS[order_by], wanted)
    asked = window(cursors, first=given(first), after=given(after), last=given(last), before=given(before))
    name = f"scenarios.of_entities:{wanted}:{order_by}:{asked}"
    pages = context.loader(name, lambda: EntityScenariosLoader(context.store, context.tenant, wanted, order_by, asked))
    counts = context.loader(
        f"scenarios.counts_of_entities:{wanted}", lambda: EntityScenarioCountLoader(context.store, context.tenant, wanted)
    )
    page = await pages.load(entity)
    return connection(Listing(page, cursors, partial(queries.position_of, order=order_by), scenario, lambda: counts.load(entity)))


@strawberry.federation.interface_object(name="CityObject", keys=["id"])
class CityObject:
    id: strawberry.ID
    scenarios: ScenarioConnection | None = strawberry.field(resolver=_scenarios)

    @classmethod
    def resolve_reference(cls, info: Info, id: strawberry.ID) -> "CityObject | None":
        """Nothing is known here of another city's objects."""
        city, _ = object_key(id, info.context.home_city)
        return cls(id=id) if city == info.context.home_city else None


def scenario(record: records.Scenario) -> Scenario:
    span = record.time_range
    return Scenario(
        key=record.key,
        id=strawberry.ID(str(GlobalId(record.city, "scenario", record.uuid))),
        uuid=record.uuid,
        name=record.name,
        description=record.description,
        entity_id=strawberry.ID(str(GlobalId(record.city, "object", record.entity))),
        created_by=record.created_by,
        created_at=Timestamp(record.created_at),
        updated_at=Timestamp(record.updated_at),
        status=record.status,
        parameters=None if record.parameters is None else JSONObject(dict(record.parameters)),
        time_range=None if span is None else TimeRange(start_ts=Timestamp(span.start), end_ts=Timestamp(span.end)),
        version=record.version,
    )


def connection(listing: Listing[records.Scenario]) -> ScenarioConnection:
    return ScenarioConnection(listing=listing)


async def load_scenario(context: SliceContext, key: records.ScenarioKey) -> Scenario | None:
    loader = context.loader("scenarios.by_key", lambda: ScenarioLoader(context.store, context.tenant))
    record = await loader.load(key)
    return None if record is None else scenario(record)


def scenario_key(id: str, home_city: str) -> records.ScenarioKey:
    """City and UUID of a scenario's identifier."""
    parsed = GlobalId.parse(id, kind="scenario", home_city=home_city)
    return parsed.city, parsed.uuid


def object_key(id: str, home_city: str) -> records.ScenarioKey:
    """City and UUID of a city object's identifier."""
    parsed = GlobalId.parse(id, kind="object", home_city=home_city)
    return parsed.city, parsed.uuid


def read_statuses(statuses: Sequence[ScenarioStatus] | None) -> tuple[ScenarioStatus, ...] | None:
    """Each once, in one order, so that lists that mean the same share their cursors and their loaders."""
    if statuses is None:
        return None
    if len(statuses) > len(ScenarioStatus):
        raise BadUserInput(f"`status` names {len(statuses)} statuses: there are {len(ScenarioStatus)}")
    return tuple(sorted(set(statuses)))
