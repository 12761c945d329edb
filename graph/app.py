"""Assembly of a city: the one module that knows engine, slices and stores, and connects them.

Each slice is a subgraph in this process; the gateway's own subgraph and those of the configuration join them, and all are composed
alike. What one slice needs of another (a port) is connected here, so that neither knows the other.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from graphql import GraphQLSchema, is_abstract_type
from strawberry.federation import Schema

from graph.auth.demo_issuer import DemoIssuer
from graph.composing import composed, composed_sdl
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
from graph.gateway_subgraph.live_state import LiveState, open_live_state
from graph.gateway_subgraph.model_channels import ModelChannels
from graph.gateway_subgraph.nodes import NodeFinder, NodeKind
from graph.gateway_subgraph.schema import CityStatus, GatewayContext, status_of
from graph.operations import CityOperations, build_operations
from graph.server.application import Application
from graph.server.policy import Policy
from graph.sources import Schemas, SchemaSource, http_transport
from graph.subscriptions.bus import EventBus
from graph.subscriptions.opening import open_bus, open_peers
from graph.supergraph import Supergraph
from graph.supergraph.demands import Refusal
from graph.supergraph.public_schema import print_public_schema
from resolvers.annotations.directory import ModelAnnotations
from resolvers.city_objects.directory import CityObjectDirectory
from resolvers.compliance import artefacts as artefact_files
from resolvers.compliance.artefacts import Artefacts
from resolvers.compliance.commands import Shelf
from resolvers.integrations.report import ImportReport, Progress
from resolvers.models.directory import ModelDirectory
from resolvers.scenarios.directory import ScenarioDirectory
from resolvers.stores.engine import Store
from resolvers.stores.objects import ObjectStore, ObjectStoreUrlError
from resolvers.stores.revision import newest_revision, stored_revision
from resolvers.telemetry.directory import TelemetryOwners
from subgraphs.annotations import schema as annotations
from subgraphs.catalog import SLICES
from subgraphs.city_objects import schema as city_objects
from subgraphs.compliance import types as compliance
from subgraphs.context import Port, SliceContext
from subgraphs.federation import FederationSchema
from subgraphs.models import schema as models
from subgraphs.operations import schema as operations_slice
from subgraphs.scenarios import schema as scenarios
from subgraphs.telemetry import schema as telemetry


@dataclass(frozen=True, slots=True)
class CityParts:
    """What a city has once, however often its federation is made anew."""

    settings: Settings
    store: Store
    health: HealthRegistry
    live: LiveState
    artefacts: Artefacts
    operations: CityOperations
    bus: EventBus


async def build_city(source: SchemaSource, issuer: DemoIssuer | None = None, *, scheduled: bool = False) -> Application:
    """A city's gateway. With an `issuer`, it is a demo that publishes its own keys. `scheduled`: it makes its backups, and purges."""
    settings = source.settings
    artefacts = open_artefacts(settings)
    opened = open_bus(settings)
    bus, live = opened.bus, open_live_state(settings, alone=not opened.shared)
    peers = open_peers(settings)
    store = Store(settings.store_url, publish=bus.publish)
    operations = build_operations(settings, store)
    channels = ModelChannels(live.participants, bus, settings.city_id)
    closing = (operations.close, channels.close, *([] if peers is None else [peers.close]), live.close, bus.close, store.close)
    around = Surroundings(
        title=settings.city_id,
        authenticator=demo_tokens(settings, issuer) if issuer else bearer_tokens(settings),
        checks={"the store": lambda: check_store(store), **opened.checks},
        documents=issuer_documents(issuer) if issuer else {},
        downloads={} if artefacts.objects.signs else {artefact_files.PATH: partial(artefact_files.follow, store, artefacts)},
        on_close=closing,
        audit=operations.audit,
        tickets=live.tickets,
        topics=channels,
        peers=peers,
    )
    try:
        await check_migrated(store)
        await bus.start()
        await live.start()
        parts = CityParts(settings, store, HealthRegistry(), live, artefacts, operations, bus)
        if scheduled:
            await operations.start()
        return await build_reloading(source, partial(_federation, parts), around)
    except BaseException:
        for close in closing:
            await close()
        raise


def _federation(parts: CityParts, schemas: Schemas) -> Federation:
    """`parts` are those that the city started with; the schemas, and the subgraphs that they name, may be newer."""
    settings, health = parts.settings, parts.health
    ports = connected_ports(parts.store, settings.city_id, parts.artefacts, parts.operations)

    def slice_context(request: RequestContext) -> SliceContext:
        return SliceContext(parts.store, settings.city_id, request, ports, parts.bus)

    local = local_schemas()
    others = schemas.settings.subgraphs
    transports: dict[str, Transport] = {
        name: InProcessTransport(executable(schema), slice_context) for name, schema in local.schemas.items()
    }
    transports |= {name: http_transport(schemas.settings, name, source.url) for name, source in others.items()}
    supergraph = composed((*local.subgraphs, *schemas.subgraphs), settings.data_dir, schemas.settings.contract)
    places = [gateway_subgraph.SubgraphPlace(name, None, settings.city_id) for name in local.schemas]
    places += [gateway_subgraph.SubgraphPlace(name, source.url, None) for name, source in others.items()]
    state = gateway_subgraph.FederationState(supergraph.sha256, time.time_ns() // 1_000_000, places, health)
    gateway = gateway_subgraph.Gateway(
        nodes=NodeFinder(local.kinds, transports, settings.city_id, partial(refused_type, Policy(supergraph.demands))),
        federation=lambda: state,
        status=city_status(settings.city_id, health, tuple(transports)),
        tickets=parts.live.tickets,
        participants=parts.live.participants,
        classes=local.classes,
    )
    gateway_schema = executable(local.schemas[gateway_subgraph.NAME])
    transports[gateway_subgraph.NAME] = InProcessTransport(gateway_schema, lambda request: GatewayContext(request, gateway))
    return Federation(supergraph, transports, health)


def refused_type(policy: Policy, names: Sequence[str], request: RequestContext) -> Refusal | None:
    """Why a caller may see nothing of any of these object types; None where they may see one."""
    denied = policy.denied(policy.granted(request)).types
    return denied[names[0]] if all(name in denied for name in names) else None


@dataclass(frozen=True, slots=True)
class LocalSchemas:
    """The subgraphs of this process, what kinds of things they own, and the classes by which the gateway's own names these."""

    schemas: Mapping[str, Schema]
    subgraphs: Sequence[SubgraphSDL]
    kinds: Sequence[NodeKind]
    classes: Mapping[str, type]


@cache
def local_schemas() -> LocalSchemas:
    """They are in the code, so a federation that is made anew has the same."""
    schemas: dict[str, Schema] = {entry.name: entry.build() for entry in SLICES}
    kinds = [
        NodeKind(kind, type, entry.name, object_types(executable(schemas[entry.name]), type))
        for entry in SLICES
        for kind, type in entry.nodes.items()
    ]
    classes = gateway_subgraph.node_classes(kinds)
    schemas[gateway_subgraph.NAME] = gateway_subgraph.build(classes)
    return LocalSchemas(schemas, [SubgraphSDL(name, None, schema.as_str()) for name, schema in schemas.items()], kinds, classes)


def object_types(schema: GraphQLSchema, name: str) -> tuple[str, ...]:
    """The type itself, or those that implement it."""
    type = schema.type_map[name]
    return tuple(one.name for one in schema.get_possible_types(type)) if is_abstract_type(type) else (name,)


def city_supergraph() -> Supergraph:
    """A city's slices and the gateway's own subgraph, without anybody else's."""
    return composed(local_schemas().subgraphs)


def city_schema() -> str:
    """The public API of a city as SDL; the same bytes for the same slices."""
    return print_public_schema(composed_sdl(local_schemas().subgraphs))


def executable(schema: Schema) -> GraphQLSchema:
    """Strawberry has no public name for the schema that it makes for graphql-core."""
    return schema.executable if isinstance(schema, FederationSchema) else schema._schema


def connected_ports(store: Store, city: str, artefacts: Artefacts, operations: CityOperations) -> Mapping[Port[Any], object]:
    """Who answers what a slice asks of another."""
    objects, points, directory = CityObjectDirectory(store, city), TelemetryOwners(), ModelDirectory(city)
    contributions = ModelAnnotations(city)
    return {
        city_objects.DEPENDANTS: (points, ScenarioDirectory(city)),
        telemetry.ENTITIES: objects,
        telemetry.SCENARIOS: ScenarioDirectory(city),
        scenarios.ENTITIES: objects,
        scenarios.DEPENDANTS: points,
        annotations.MODELS: directory,
        models.DEPENDANTS: contributions,
        models.CONTRIBUTIONS: contributions,
        compliance.MODELS: directory.existing,
        compliance.ENTITIES: objects.existing_in,
        compliance.ARTEFACTS: artefacts,
        operations_slice.OPERATIONS: operations.operations,
    }


def city_status(home: str, health: HealthRegistry, subgraphs: tuple[str, ...]) -> Callable[[str], CityStatus]:
    """How a city is, by how its subgraphs answered last; of another city nothing is known here."""

    def status(city: str) -> CityStatus:
        if city != home:
            return CityStatus.UNAVAILABLE
        others = (name for name in subgraphs if name != gateway_subgraph.NAME)
        return status_of({name: health.of(name).consecutive_failures == 0 for name in others})

    return status


def open_artefacts(settings: Settings) -> Artefacts:
    """The object store, and the key that signs links into a folder. Raises `ConfigError`."""
    try:
        objects = ObjectStore.open(settings.object_store_url)
        secret = b"" if objects.signs else artefact_files.open_secret(settings.data_dir / "artefacts.key")
    except ObjectStoreUrlError as error:
        raise ConfigError(f"CITYGRAPH_ARTEFACTS_URL: {error}") from None
    except OSError as error:
        raise ConfigError(f"the key that signs links cannot be kept in {settings.data_dir}: {error.strerror}") from None
    return Artefacts(objects, secret, (settings.public_url or "").rstrip("/"), settings.artefact_url_ttl_s)


@asynccontextmanager
async def open_shelf(settings: Settings) -> AsyncIterator[Shelf]:
    """Where the command line puts reports and quality-control data."""
    artefacts = open_artefacts(settings)
    store = Store(settings.store_url)
    try:
        entities = CityObjectDirectory(store, settings.city_id).existing_in
        yield Shelf(store, artefacts.objects, ModelDirectory(settings.city_id).existing, entities)
    finally:
        await store.close()


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
