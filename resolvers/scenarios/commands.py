"""What can be done to scenarios: create, change, take from status to status, delete. Each is one transaction and tells its event."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from graph.errors import BadUserInput, Conflict, NotFound
from resolvers.scenarios import store as sql
from resolvers.scenarios.queries import record as read_record
from resolvers.scenarios.records import (
    CHANNEL,
    MAX_DEPTH,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_PARAMETERS,
    NEXT,
    Scenario,
    ScenarioDraft,
    ScenarioKey,
    ScenarioStatus,
    TimeSpan,
)
from resolvers.stores import journal
from resolvers.stores.engine import Store
from resolvers.stores.idempotency import once
from resolvers.stores.json_bounds import check_json, check_text

_c = sql.scenario.c


class Entities(Protocol):
    """Who knows which entities there are: a scenario knows its city object by its key alone."""

    async def existing_in(self, connection: AsyncConnection, tenant: str, uuids: Sequence[UUID]) -> set[UUID]:
        """Those of `uuids` that the tenant has."""
        ...


class Dependants(Protocol):
    """Who keeps things that go with a scenario."""

    async def delete_of_scenario(self, connection: AsyncConnection, tenant: str, scenario: UUID) -> None: ...


async def create(
    store: Store,
    entities: Entities,
    *,
    tenant: str,
    city: str,
    subject: str,
    draft: ScenarioDraft,
    idempotency_key: str | None,
    now: int,
) -> UUID:
    """Raises `NotFound` where the tenant has no such entity, `BadUserInput`, and `IdempotencyKeyReused`."""
    _check(draft.name, draft.description, draft.parameters)

    async def insert(connection: AsyncConnection) -> str:
        if draft.entity not in await entities.existing_in(connection, tenant, [draft.entity]):
            raise NotFound(f"There is no city object {city}/object/{draft.entity}")
        uuid = uuid4()
        scenario = {
            "tenant": tenant,
            "city": city,
            "uuid": uuid,
            "entity": draft.entity,
            "name": draft.name,
            "description": draft.description,
            "created_by": subject,
            "created_at": now,
            "updated_at": now,
            "status": ScenarioStatus.CREATED.value,
            "parameters": draft.parameters,
            **_span(draft.time_range),
            "version": 1,
        }
        await connection.execute(sa.insert(sql.scenario), scenario)
        await _tell(connection, tenant, (city, uuid), draft.entity, ScenarioStatus.CREATED, now)
        return uuid.hex

    told = [draft.name, draft.description, draft.entity.hex, draft.parameters, _span(draft.time_range)]
    hex: str = await once(store, tenant=tenant, operation="createScenario", key=idempotency_key, told=told, now=now, change=insert)
    return UUID(hex)


async def update(store: Store, *, tenant: str, key: ScenarioKey, if_version: int, changes: Mapping[str, Any], now: int) -> Scenario:
    """Changes those of `name`, `description`, `parameters` and `time_range` that `changes` holds; None clears.

    Raises `NotFound`, `Conflict` with the current version, and `BadUserInput`. What changes nothing leaves the version as it is.
    """
    if "name" in changes and changes["name"] is None:
        raise BadUserInput("`name` is null: a scenario needs a name")
    _check(changes.get("name", "-"), changes.get("description"), changes.get("parameters"))
    async with store.write() as connection:
        known = await _locked(connection, store, tenant, key)
        if known.version != if_version:
            raise Conflict(
                f"The scenario is at version {known.version}, not {if_version}: read it again",
                extensions={"currentVersion": known.version},
            )
        if all(getattr(known, name) == value for name, value in changes.items()):
            return known
        values = {name: value for name, value in changes.items() if name != "time_range"}
        if "time_range" in changes:
            values |= _span(changes["time_range"])
        return await _write(connection, tenant, key, values, now)


async def set_status(store: Store, *, tenant: str, key: ScenarioKey, status: ScenarioStatus, now: int) -> Scenario:
    """Raises `NotFound`, and `Conflict` with the current status where that one does not lead to `status`."""
    async with store.write() as connection:
        known = await _locked(connection, store, tenant, key)
        if status not in NEXT[known.status]:
            ways = " or ".join(sorted(NEXT[known.status])) or "nowhere"
            raise Conflict(
                f"The scenario is {known.status} and cannot become {status}: from there it goes to {ways}",
                extensions={"currentStatus": known.status.value},
            )
        await _tell(connection, tenant, key, known.entity, status, now)
        return await _write(connection, tenant, key, {"status": status.value}, now)


async def delete(store: Store, dependants: Dependants, *, tenant: str, key: ScenarioKey) -> None:
    """Its simulated points go with it. Raises `NotFound`."""
    async with store.write() as connection:
        await _locked(connection, store, tenant, key)
        await delete_rows(connection, dependants, tenant, [key])


async def delete_rows(connection: AsyncConnection, dependants: Dependants, tenant: str, keys: Sequence[ScenarioKey]) -> None:
    for city, uuid in keys:
        await dependants.delete_of_scenario(connection, tenant, uuid)
        await connection.execute(sa.delete(sql.scenario).where(_c.tenant == tenant, _c.city == city, _c.uuid == uuid))


async def _locked(connection: AsyncConnection, store: Store, tenant: str, key: ScenarioKey) -> Scenario:
    row = (await connection.execute(sql.one(tenant, key, locked=store.dialect == "postgresql"))).first()
    if row is None:
        city, uuid = key
        raise NotFound(f"There is no scenario {city}/scenario/{uuid}")
    return read_record(row)


async def _write(connection: AsyncConnection, tenant: str, key: ScenarioKey, values: Mapping[str, Any], now: int) -> Scenario:
    city, uuid = key
    statement = (
        sa.update(sql.scenario)
        .where(_c.tenant == tenant, _c.city == city, _c.uuid == uuid)
        .values(**values, updated_at=now, version=_c.version + 1)
        .returning(*sql.RECORD)
    )
    return read_record((await connection.execute(statement)).one())


async def _tell(connection: AsyncConnection, tenant: str, key: ScenarioKey, entity: UUID, status: ScenarioStatus, now: int) -> None:
    city, uuid = key
    payload = {"city": city, "scenario": str(uuid), "entity": str(entity), "status": status.value}
    await journal.record(connection, tenant=tenant, channel=CHANNEL, kind="ScenarioStatusChanged", at=now, payload=payload)


def _span(span: TimeSpan | None) -> dict[str, int | None]:
    return {"start_ts": None, "end_ts": None} if span is None else {"start_ts": span.start, "end_ts": span.end}


def _check(name: str, description: str | None, parameters: Mapping[str, Any] | None) -> None:
    check_text("name", name, MAX_NAME, least=1)
    if description is not None:
        check_text("description", description, MAX_DESCRIPTION)
    if parameters is not None:
        check_json("parameters", parameters, MAX_PARAMETERS, depth=MAX_DEPTH)
