"""Assembly of a city: the one module that knows engine, slices and stores, and connects them.

Each slice is a subgraph in this process; the gateway's own subgraph and those of the configuration join them, and all are composed
alike. What one slice needs of another (a port) is connected here, so that neither knows the other.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from graphql import GraphQLSchema, print_schema
from strawberry.federation import Schema

from graph.auth.demo_issuer import DemoIssuer
from graph.composing import composed
from graph.config import ConfigError, Settings
from graph.contracts import RequestContext, SubgraphSDL, Transport
from graph.engine import (
    Federation,
    Surroundings,
    bearer_tokens,
    build_reloading,
    demo_tokens,
    issuer_documents,
)
from graph.errors import Unavailable
from graph.executor import HealthRegistry
from graph.executor.transports.in_process import InProcessTransport
from graph.gateway_subgraph import schema as gateway_subgraph
from graph.gateway_subgraph.schema import CityStatus, GatewayContext, status_of
from graph.server.application import Application
from graph.sources import Schemas, SchemaSource, http_transport
from graph.supergraph import Supergraph
from resolvers.city_objects.directory import CityObjectDirectory
from resolvers.integrations.report import ImportReport, Progress
from resolvers.stores.engine import Store
from resolvers.stores.revision import newest_revision, stored_revision
from resolvers.telemetry.directory import TelemetryOwners
from subgraphs.catalog import SLICES
from subgraphs.context import Port, SliceContext
from subgraphs.scenarios import schema as scenarios
from subgraphs.telemetry import schema as telemetry


async def build_city(source: SchemaSource, issuer: DemoIssuer | None = None) -> Application:
    """A city's gateway. With an `issuer`, it is a demo that publishes its own keys."""
    settings = source.settings
    store = Store(settings.store_url)
    around = Surroundings(
        title=settings.city_id,
        authenticator=demo_tokens(settings, issuer) if issuer else bearer_tokens(settings),
        checks={"the store": lambda: check_store(store)},
        documents=issuer_documents(issuer) if issuer else {},
        on_close=(store.close,),
    )
    try:
        await check_migrated(store)
        return await build_reloading(source, partial(_federation, settings, store, HealthRegistry()), around)
    except BaseException:
        await store.close()
        raise


def _federation(settings: Settings, store: Store, health: HealthRegistry, schemas: Schemas) -> Federation:
    """`settings` are those that the city started with; the schemas, and the subgraphs that they name, may be newer."""
    others = schemas.settings.subgraphs
    ports = connected_ports(store, settings.city_id)

    def slice_context(request: RequestContext) -> SliceContext:
        return SliceContext(store, settings.city_id, request, ports)

    slices = {entry.name: entry.build() for entry in SLICES}
    transports: dict[str, Transport] = {name: InProcessTransport(executable(schema), slice_context) for name, schema in slices.items()}
    slices[gateway_subgraph.NAME] = gateway_subgraph.build()
    status = city_status(settings.city_id, health, (*slices, *others))
    transports[gateway_subgraph.NAME] = InProcessTransport(
        executable(slices[gateway_subgraph.NAME]), lambda request: GatewayContext(request, status)
    )
    remote = {name: http_transport(schemas.settings, name, source.url) for name, source in others.items()}
    supergraph = composed((*in_process(slices), *schemas.subgraphs), settings.data_dir, schemas.settings.contract)
    return Federation(supergraph, {**transports, **remote}, health)


def city_supergraph() -> Supergraph:
    """A city's slices and the gateway's own subgraph, without anybody else's."""
    schemas = {entry.name: entry.build() for entry in SLICES}
    schemas[gateway_subgraph.NAME] = gateway_subgraph.build()
    return composed(in_process(schemas))


def city_schema() -> str:
    """The public API of a city as SDL; the same bytes for the same slices."""
    return print_schema(city_supergraph().api_schema) + "\n"


def in_process(schemas: Mapping[str, Schema]) -> list[SubgraphSDL]:
    return [SubgraphSDL(name, None, schema.as_str()) for name, schema in schemas.items()]


def executable(schema: Schema) -> GraphQLSchema:
    """Strawberry has no public name for the schema that it makes for graphql-core."""
    return schema._schema


def connected_ports(store: Store, city: str) -> Mapping[Port[Any], object]:
    """Who answers what a slice asks of another."""
    objects, points = CityObjectDirectory(store, city), TelemetryOwners()
    return {
        telemetry.ENTITIES: objects,
        scenarios.ENTITIES: objects,
        scenarios.DEPENDANTS: points,
    }


def city_status(home: str, health: HealthRegistry, subgraphs: tuple[str, ...]) -> Callable[[str], CityStatus]:
    """How a city is, by how its subgraphs answered last; of another city nothing is known here."""

    def status(city: str) -> CityStatus:
        if city != home:
            return CityStatus.UNAVAILABLE
        others = (name for name in subgraphs if name != gateway_subgraph.NAME)
        return status_of({name: health.of(name).consecutive_failures == 0 for name in others})

    return status


async def check_store(store: Store) -> None:
    """Raises `Unavailable` where the store does not answer."""
    try:
        async with store.read() as connection:
            await connection.execute(sa.text("SELECT 1"))
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise Unavailable(type(error).__name__) from None


async def migrate_store(settings: Settings) -> None:
    """Brings the store to this version's tables; makes its folder where there is none."""
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    try:
        if await stored_revision(store) == newest_revision():
            return
    finally:
        await store.close()
    from resolvers.stores.migrate import migrate  # loads Alembic, for which a warm start has no time

    await asyncio.to_thread(migrate, settings.store_url)


async def check_migrated(store: Store) -> None:
    """Raises `ConfigError` where the store has other tables than this version's."""
    found, expected = await stored_revision(store), newest_revision()
    if found != expected:
        state = "has no tables yet" if found is None else f"has tables of revision {found}, where {expected} is expected"
        raise ConfigError(f"the store {state}: run `citygraph migrate`")


async def import_demo(settings: Settings, progress: Progress) -> ImportReport:
    """The demo's data into the home city; its tenant is the city."""
    store = Store(settings.store_url)
    try:
        from resolvers.integrations.demo_city import import_demo_city

        return await import_demo_city(store, tenant=settings.city_id, city=settings.city_id, progress=progress)
    finally:
        await store.close()


async def import_osm_file(settings: Settings, file: Path, *, tenant: str, progress: Progress) -> ImportReport:
    """An OpenStreetMap extract into the home city."""
    await migrate_store(settings)
    store = Store(settings.store_url)
    try:
        from resolvers.integrations.openstreetmap import import_osm  # the libraries of outside systems are loaded by whom they serve

        return await import_osm(file, store, tenant=tenant, city=settings.city_id, progress=progress)
    finally:
        await store.close()
