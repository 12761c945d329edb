"""Puts the engine together: from a supergraph, and ways to its subgraphs, to an application that answers.

It knows no slice: `graph.app` adds a city to it, and `citygraph gateway` is this alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graph.auth.authenticate import Authenticator, BearerTokens, Everybody
from graph.auth.claims import ClaimNames, anonymous
from graph.auth.demo_issuer import DISCOVERY_PATH, JWKS_PATH, DemoIssuer
from graph.auth.introspection import Introspection
from graph.auth.keys import FixedKeys, PublishedKeys
from graph.auth.tickets import Tickets
from graph.auth.tokens import TokenRules, TokenVerifier
from graph.composing import CompositionFailedError, composed, narrowed
from graph.config import ConfigError, Settings
from graph.contracts import AuditSink, Transport
from graph.downloads import Downloads
from graph.executor import Executor, ExecutorLimits, HealthRegistry
from graph.federation_config import Contract
from graph.planner import Planner
from graph.planner.labels import OverrideLabels
from graph.reloading import Intervals, RefusedError, Reloader
from graph.server.application import Application, Check, ServerParts
from graph.server.cors import Cors
from graph.server.document_limits import DocumentLimits
from graph.server.hooks import load_hooks
from graph.server.ide import build_page
from graph.server.in_service import InService, Version
from graph.server.live.admission import Admission, Topics
from graph.server.live.connections import Live
from graph.server.live.limits import LiveLimits
from graph.server.pipeline import Pipeline
from graph.server.policy import Policy
from graph.server.preparation import Preparer
from graph.sources import Schemas, SchemaSource, http_transport
from graph.subscriptions.opening import open_peers
from graph.subscriptions.peers import Peers
from graph.supergraph import Supergraph, SupergraphError, read_supergraph

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Federation:
    """A supergraph, and how each of its subgraphs is reached."""

    supergraph: Supergraph
    transports: Mapping[str, Transport]
    health: HealthRegistry = field(default_factory=HealthRegistry)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an application has besides its federation."""

    title: str
    authenticator: Authenticator
    checks: Mapping[str, Check] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    downloads: Mapping[str, Downloads] = field(default_factory=dict)
    hosts: frozenset[str] | None = None
    audit: AuditSink | None = None
    tickets: Tickets | None = None
    topics: Topics | None = None
    peers: Peers | None = None
    on_close: tuple[Callable[[], Awaitable[None]], ...] = ()


async def build_gateway(source: SchemaSource, *, no_auth: bool) -> Application:
    """The bare gateway, over a supergraph as it is given or one composed of the configuration's subgraphs."""
    settings = source.settings
    health = HealthRegistry()

    def federation(schemas: Schemas) -> Federation:
        contract, given = schemas.settings.contract, schemas.supergraph
        supergraph = composed(schemas.subgraphs, None, contract) if given is None else read_given(given, contract)
        return Federation(supergraph, transports_to(supergraph, schemas.settings), health)

    peers = open_peers(settings)
    around = Surroundings(
        title="a federation gateway",
        authenticator=everybody(settings) if no_auth else bearer_tokens(settings),
        hosts=LOOPBACK_NAMES if no_auth else None,
        peers=peers,
        on_close=() if peers is None else (peers.close,),
    )
    return await build_reloading(source, federation, around)


def read_given(sdl: str, contract: Contract | None) -> Supergraph:
    """Raises `ConfigError`."""
    try:
        return read_supergraph(sdl if contract is None else narrowed(sdl, contract))
    except SupergraphError as error:
        raise ConfigError(f"the supergraph cannot be read: {error}") from None


def transports_to(supergraph: Supergraph, settings: Settings) -> dict[str, Transport]:
    """HTTP to the URLs of the settings, or else those that the supergraph gives. Raises `ConfigError` where one is missing."""
    transports: dict[str, Transport] = {}
    for info in supergraph.subgraphs.values():
        if not info.url and info.name not in settings.subgraphs:
            raise ConfigError(f"the supergraph gives no URL for subgraph {info.name}: `@join__graph(name:, url:)` is expected")
        transports[info.name] = http_transport(settings, info.name, info.url or "")
    return transports


async def build_reloading(source: SchemaSource, make: Callable[[Schemas], Federation], around: Surroundings) -> Application:
    """An application whose federation follows its source. Raises `ConfigError` and `CompositionFailedError` for what it starts with."""

    def build(schemas: Schemas) -> Version:
        return _version(schemas.settings, make(schemas), around.audit)

    schemas = await source.read()
    settings = schemas.settings
    in_service = InService(await asyncio.to_thread(build, schemas))

    async def renew(changed: Schemas) -> None:
        try:
            in_service.replace(await asyncio.to_thread(build, changed))
        except CompositionFailedError as error:
            raise RefusedError(str(error), tuple(sorted({one.code for one in error.errors}))) from None
        except ConfigError as error:
            raise RefusedError(str(error), ("INVALID_CONFIGURATION",)) from None

    intervals = Intervals(settings.reload_files_s, settings.reload_urls_s)
    watching = asyncio.create_task(Reloader(source, schemas, renew, in_service, intervals).run())

    async def stop_watching() -> None:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    return _application(settings, in_service, replace(around, on_close=(stop_watching, *around.on_close)))


def build_application(settings: Settings, federation: Federation, around: Surroundings) -> Application:
    """An application whose federation stays as it is."""
    return _application(settings, InService(_version(settings, federation, around.audit)), around)


def _application(settings: Settings, in_service: InService, around: Surroundings) -> Application:
    async def close() -> None:
        for part in (in_service.close, around.authenticator.close, *around.on_close):
            await part()

    admission = Admission(around.authenticator, around.tickets)
    parts = ServerParts(
        in_service=in_service,
        authenticator=around.authenticator,
        cors=Cors(settings.cors_allowed_origins),
        page=build_page(around.title),
        live=Live(in_service, admission, live_limits(settings), around.topics, introspection(settings), settings.introspection_interval_s),
        max_payload_bytes=settings.max_payload_bytes,
        body_timeout=settings.body_timeout_s,
        checks=around.checks,
        documents=around.documents,
        downloads=around.downloads,
        peers=around.peers,
        hosts=around.hosts,
    )
    return Application(parts, close)


def _version(settings: Settings, federation: Federation, audit: AuditSink | None) -> Version:
    """All that belongs to one schema; nothing of it is shared with another version but the subgraphs' health."""
    supergraph = federation.supergraph
    hooks = load_hooks(settings.hooks, settings.hooks_dir, settings.hook_timeout_s)
    executor = Executor(
        supergraph.api_schema,
        hooks.around(federation.transports),
        ExecutorLimits(operation_timeout=settings.operation_timeout_s, prepared_plans=settings.document_cache),
        federation.health,
        full_schema=supergraph.full_schema,
    )
    policy = Policy(supergraph.demands, hooks.satisfies)
    preparer = Preparer(
        Planner(supergraph),
        executor,
        policy,
        limits=document_limits(settings),
        cached_documents=settings.document_cache,
        introspection=settings.introspection,
    )
    labels = OverrideLabels(supergraph, hooks.decide)
    pipeline = Pipeline(preparer, executor, labels, policy, hooks=hooks, audit=audit, plan_roles=frozenset(settings.query_plan_roles))

    async def close() -> None:
        await pipeline.close()
        await executor.close()

    return Version(supergraph.sha256, pipeline, close)


def introspection(settings: Settings) -> Introspection | None:
    """Where it is configured. Raises `ConfigError` where only half of it is."""
    url, user, secret = settings.introspection_url, settings.introspection_client_id, settings.introspection_client_secret
    if url is None:
        return None
    if user is None or secret is None:
        raise ConfigError("CITYGRAPH_INTROSPECTION_URL needs CITYGRAPH_INTROSPECTION_CLIENT_ID and CITYGRAPH_INTROSPECTION_CLIENT_SECRET")
    from graph.auth.http_json import HttpJson

    return Introspection(HttpJson(), url, user, secret.get_secret_value(), claim_names(settings))


def live_limits(settings: Settings) -> LiveLimits:
    return LiveLimits(
        init_timeout=settings.live_init_timeout_s,
        keep_alive=settings.live_keep_alive_s,
        backlog=settings.live_backlog_kb * 1_000,
        message=settings.live_max_message_kb * 1_000,
        messages_per_second=settings.live_messages_per_s,
        operations_per_connection=settings.live_operations_per_connection,
        operations_per_principal=settings.live_operations_per_principal,
        connections_per_principal=settings.live_connections_per_principal,
        connections=settings.live_connections,
    )


def document_limits(settings: Settings) -> DocumentLimits:
    return DocumentLimits(
        bytes=settings.max_document_bytes,
        tokens=settings.max_document_tokens,
        depth=settings.max_depth,
        fields=settings.max_fields,
        aliases=settings.max_aliases,
        root_fields=settings.max_root_fields,
        directives=settings.max_directives,
    )


def claim_names(settings: Settings) -> ClaimNames:
    return ClaimNames.of(settings.role_claims, settings.keycloak_audience, settings.tenant_claim, settings.default_tenant)


def token_rules(settings: Settings, issuer: str) -> TokenRules:
    return TokenRules(
        issuer=issuer,
        audience=settings.keycloak_audience,
        claims=claim_names(settings),
        max_lifetime=settings.max_token_lifetime_s,
        clock_skew=settings.clock_skew_s,
        require_nbf=settings.require_nbf,
    )


def bearer_tokens(settings: Settings) -> Authenticator:
    """Tokens of the configured identity provider."""
    from graph.auth.http_json import HttpJson  # its HTTP client takes long to load, and the demo never needs it

    issuer = settings.issuer_url
    if issuer is None:
        raise ConfigError("no identity provider is configured: set KEYCLOAK_URL or CITYGRAPH_ISSUER")
    keys = PublishedKeys(HttpJson(), issuer, settings.jwks_url, max_age=settings.jwks_max_age_s, cooldown=settings.jwks_cooldown_s)
    return BearerTokens(TokenVerifier(keys, token_rules(settings, issuer)))


def demo_tokens(settings: Settings, issuer: DemoIssuer) -> Authenticator:
    """Tokens of the demo's own issuer, whose keys are at hand."""
    return BearerTokens(TokenVerifier(FixedKeys(issuer.public_keys()), token_rules(settings, issuer.url)))


def everybody(settings: Settings) -> Authenticator:
    return Everybody(anonymous(settings.default_tenant or settings.city_id))


def issuer_documents(issuer: DemoIssuer) -> dict[str, Mapping[str, Any]]:
    """What an OpenID provider publishes, by path."""
    return {DISCOVERY_PATH: issuer.discovery(), JWKS_PATH: issuer.jwks()}
