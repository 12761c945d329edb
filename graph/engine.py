"""Puts the engine together: from a supergraph, and ways to its subgraphs, to an application that answers.

It knows no slice: `graph.app` adds a city to it, and `citygraph gateway` is this alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.auth.authenticate import Authenticator, BearerTokens, Everybody
from graph.auth.claims import ClaimNames, anonymous
from graph.auth.demo_issuer import DISCOVERY_PATH, JWKS_PATH, DemoIssuer
from graph.auth.keys import FixedKeys, PublishedKeys
from graph.auth.tokens import TokenRules, TokenVerifier
from graph.composition import Composed, CompositionError, Failed, SubgraphSDL, compose
from graph.config import ConfigError, Settings
from graph.contracts import Transport
from graph.executor import Executor, ExecutorLimits, HealthRegistry
from graph.planner import Planner
from graph.server.application import Application, Check, ServerParts
from graph.server.cors import Cors
from graph.server.document_limits import DocumentLimits
from graph.server.ide import build_page
from graph.server.pipeline import Pipeline
from graph.sources import configured_subgraphs, http_transport
from graph.supergraph import Supergraph, SupergraphError, read_supergraph

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class CompositionFailedError(Exception):
    """The subgraphs make no supergraph; `errors` say why."""

    def __init__(self, errors: tuple[CompositionError, ...]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


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
    hosts: frozenset[str] | None = None
    on_close: tuple[Callable[[], Awaitable[None]], ...] = ()


def composed(subgraphs: list[SubgraphSDL]) -> Supergraph:
    """Raises `CompositionFailedError`."""
    match compose(subgraphs):
        case Composed(supergraph=supergraph):
            return supergraph
        case Failed(errors=errors):
            raise CompositionFailedError(errors)


async def build_gateway(settings: Settings, supergraph_sdl: str | None, *, no_auth: bool) -> Application:
    """The bare gateway, over a supergraph as it is given or one composed of the configuration's subgraphs."""
    if supergraph_sdl is None:
        transports = {name: http_transport(name, source.url) for name, source in settings.subgraphs.items()}
        supergraph = composed(await configured_subgraphs(settings, transports))
    else:
        try:
            supergraph = read_supergraph(supergraph_sdl)
        except SupergraphError as error:
            raise ConfigError(f"the supergraph cannot be read: {error}") from None
        transports = transports_to(supergraph)
    around = Surroundings(
        title="a federation gateway",
        authenticator=everybody(settings) if no_auth else bearer_tokens(settings),
        hosts=LOOPBACK_NAMES if no_auth else None,
    )
    return build_application(settings, Federation(supergraph, transports), around)


def transports_to(supergraph: Supergraph) -> dict[str, Transport]:
    """HTTP to the URLs that the supergraph itself gives. Raises `ConfigError` where one is missing."""
    transports: dict[str, Transport] = {}
    for info in supergraph.subgraphs.values():
        if not info.url:
            raise ConfigError(f"the supergraph gives no URL for subgraph {info.name}: `@join__graph(name:, url:)` is expected")
        transports[info.name] = http_transport(info.name, info.url)
    return transports


def build_application(settings: Settings, federation: Federation, around: Surroundings) -> Application:
    executor = _executor(settings, federation)
    pipeline = Pipeline(
        federation.supergraph.api_schema,
        Planner(federation.supergraph),
        executor,
        limits=document_limits(settings),
        cached_documents=settings.document_cache,
    )

    async def close() -> None:
        for part in (executor.close, around.authenticator.close, *around.on_close):
            await part()

    parts = ServerParts(
        pipeline=pipeline,
        authenticator=around.authenticator,
        cors=Cors(settings.cors_allowed_origins),
        page=build_page(around.title),
        max_payload_bytes=settings.max_payload_bytes,
        body_timeout=settings.body_timeout_s,
        checks=around.checks,
        documents=around.documents,
        hosts=around.hosts,
    )
    return Application(parts, close)


def _executor(settings: Settings, federation: Federation) -> Executor:
    supergraph = federation.supergraph
    return Executor(
        supergraph.api_schema,
        federation.transports,
        ExecutorLimits(operation_timeout=settings.operation_timeout_s, prepared_plans=settings.document_cache),
        federation.health,
        full_schema=supergraph.full_schema,
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


def token_rules(settings: Settings, issuer: str) -> TokenRules:
    audience = settings.keycloak_audience
    return TokenRules(
        issuer=issuer,
        audience=audience,
        claims=ClaimNames.of(settings.role_claims, audience, settings.tenant_claim, settings.default_tenant),
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
