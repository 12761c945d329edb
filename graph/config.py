"""Settings: read once, typed, frozen. A flag beats the environment, which beats the YAML file, which beats the default.

Every field of `Settings` names its environment variable; in YAML it stands under its own name, beside what `federation_config` adds.
`docs/settings.md` explains each to operators, and a test holds that page against this module. What a command needs beyond a
value's form (an issuer, a loopback address) is checked where the command starts.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from graph.federation_config import Contract, HeaderRules, SubgraphSource, resolve_paths

MAX_CONFIG_BYTES = 1_000_000


class ConfigError(Exception):
    """A setting that cannot be used; the message names it, its value and what is expected."""


@dataclass(frozen=True, slots=True)
class Env:
    """The environment variable of a setting."""

    name: str


def _split(value: object) -> object:
    """A list in one environment variable is separated by commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _check_url(value: object) -> object:
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected an http or https URL")
    return value


def _check_redis(value: object) -> object:
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError("expected redis://host:port/number, or rediss:// for TLS")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Url = Annotated[str, BeforeValidator(_check_url)]
RedisUrl = Annotated[SecretStr, BeforeValidator(_check_redis)]
Months = Annotated[int, Field(ge=1, le=84)]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]


class Settings(BaseModel):
    """All settings of one process."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, Env("HOST")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535), Env("PORT")] = 8000
    data_dir: Annotated[Path, Env("DATA_DIR")] = Path(".citygraph")
    database_url: Annotated[SecretStr | None, Env("DATABASE_URL")] = None
    city_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), Env("CITY_ID")] = "FI-HELSINKI"
    artefacts_url: Annotated[str | None, Env("CITYGRAPH_ARTEFACTS_URL")] = None
    artefact_url_ttl_s: Annotated[int, Field(ge=1, le=604_800), Env("CITYGRAPH_ARTEFACT_URL_TTL_S")] = 900
    public_url: Annotated[Url | None, Env("CITYGRAPH_PUBLIC_URL")] = None
    redis_url: Annotated[RedisUrl | None, Env("REDIS_URL")] = None
    bus_url: Annotated[SecretStr | None, Env("CITYGRAPH_BUS_URL")] = None
    bus_grace_s: Annotated[float, Field(ge=0), Env("CITYGRAPH_BUS_GRACE_S")] = 30
    workers: Annotated[int, Field(ge=1, le=64), Env("CITYGRAPH_WORKERS")] = 1
    log_level: Annotated[Level, Env("LOG_LEVEL")] = "INFO"

    backup_schedule: Annotated[str, Field(max_length=200), Env("CITYGRAPH_BACKUP_SCHEDULE")] = "0 2 * * *"
    backup_retention_days: Annotated[int, Field(ge=1, le=3_650), Env("CITYGRAPH_BACKUP_RETENTION_DAYS")] = 30
    backup_url: Annotated[str | None, Env("CITYGRAPH_BACKUP_URL")] = None
    retention_schedule: Annotated[str, Field(max_length=200), Env("CITYGRAPH_RETENTION_SCHEDULE")] = "30 3 * * *"
    retention_telemetry_months: Annotated[Months, Env("CITYGRAPH_RETENTION_TELEMETRY_MONTHS")] = 24
    retention_scenarios_months: Annotated[Months, Env("CITYGRAPH_RETENTION_SCENARIOS_MONTHS")] = 24
    retention_models_months: Annotated[Months, Env("CITYGRAPH_RETENTION_MODELS_MONTHS")] = 36
    retention_annotations_months: Annotated[Months, Env("CITYGRAPH_RETENTION_ANNOTATIONS_MONTHS")] = 36
    retention_audit_months: Annotated[Months, Env("CITYGRAPH_RETENTION_AUDIT_MONTHS")] = 12
    retention_events_days: Annotated[int, Field(ge=1, le=3_650), Env("CITYGRAPH_RETENTION_EVENTS_DAYS")] = 7
    retention_keys_days: Annotated[int, Field(ge=1, le=3_650), Env("CITYGRAPH_RETENTION_KEYS_DAYS")] = 7

    keycloak_url: Annotated[Url | None, Env("KEYCLOAK_URL")] = None
    keycloak_realm: Annotated[str, Env("KEYCLOAK_REALM")] = "data4circ"
    keycloak_audience: Annotated[str, Env("KEYCLOAK_AUDIENCE")] = "dt-dth-api"
    jwks_url: Annotated[Url | None, Env("JWKS_URL")] = None
    issuer: Annotated[Url | None, Env("CITYGRAPH_ISSUER")] = None
    role_claims: Annotated[Names, Env("CITYGRAPH_ROLE_CLAIMS")] = (
        "realm_access.roles",
        "resource_access.{audience}.roles",
    )
    tenant_claim: Annotated[str, Env("CITYGRAPH_TENANT_CLAIM")] = "tenant"
    default_tenant: Annotated[str | None, Env("CITYGRAPH_DEFAULT_TENANT")] = None
    require_nbf: Annotated[bool, Env("CITYGRAPH_REQUIRE_NBF")] = True
    max_token_lifetime_s: Annotated[int, Field(ge=60), Env("CITYGRAPH_MAX_TOKEN_LIFETIME_S")] = 86_400
    clock_skew_s: Annotated[int, Field(ge=0, le=300), Env("CITYGRAPH_CLOCK_SKEW_S")] = 30
    jwks_max_age_s: Annotated[int, Field(ge=10), Env("CITYGRAPH_JWKS_MAX_AGE_S")] = 3_600
    jwks_cooldown_s: Annotated[int, Field(ge=1), Env("CITYGRAPH_JWKS_COOLDOWN_S")] = 30

    introspection_url: Annotated[Url | None, Env("CITYGRAPH_INTROSPECTION_URL")] = None
    introspection_client_id: Annotated[str | None, Env("CITYGRAPH_INTROSPECTION_CLIENT_ID")] = None
    introspection_client_secret: Annotated[SecretStr | None, Env("CITYGRAPH_INTROSPECTION_CLIENT_SECRET")] = None
    introspection_interval_s: Annotated[float, Field(ge=0.1, le=3_600), Env("CITYGRAPH_INTROSPECTION_INTERVAL_S")] = 4

    cors_allowed_origins: Annotated[Names, Env("CORS_ALLOWED_ORIGINS")] = ()
    websocket_ticket_ttl_ms: Annotated[int, Field(ge=1_000, le=600_000), Env("WEBSOCKET_TICKET_TTL_MS")] = 30_000
    max_payload_mb: Annotated[float, Field(gt=0, le=1024), Env("MAX_PAYLOAD_MB")] = 25
    body_timeout_s: Annotated[float, Field(gt=0), Env("CITYGRAPH_BODY_TIMEOUT_S")] = 30
    operation_timeout_s: Annotated[float, Field(gt=0), Env("CITYGRAPH_OPERATION_TIMEOUT_S")] = 60
    shutdown_grace_s: Annotated[float, Field(ge=0, le=60), Env("CITYGRAPH_SHUTDOWN_GRACE_S")] = 1
    shutdown_timeout_s: Annotated[int, Field(ge=1), Env("CITYGRAPH_SHUTDOWN_TIMEOUT_S")] = 8
    reload_files_s: Annotated[float, Field(ge=0), Env("CITYGRAPH_RELOAD_FILES_S")] = 2
    reload_urls_s: Annotated[float, Field(ge=0), Env("CITYGRAPH_RELOAD_URLS_S")] = 10

    live_init_timeout_s: Annotated[float, Field(gt=0, le=600), Env("CITYGRAPH_LIVE_INIT_TIMEOUT_S")] = 10
    live_keep_alive_s: Annotated[float, Field(gt=0, le=600), Env("CITYGRAPH_LIVE_KEEP_ALIVE_S")] = 20
    live_max_message_kb: Annotated[int, Field(ge=1, le=16_000), Env("CITYGRAPH_LIVE_MAX_MESSAGE_KB")] = 256
    live_messages_per_s: Annotated[float, Field(ge=0.1), Env("CITYGRAPH_LIVE_MESSAGES_PER_S")] = 20
    live_backlog_kb: Annotated[int, Field(ge=16), Env("CITYGRAPH_LIVE_BACKLOG_KB")] = 1_000
    live_operations_per_connection: Annotated[int, Field(ge=1), Env("CITYGRAPH_LIVE_OPERATIONS_PER_CONNECTION")] = 100
    live_operations_per_principal: Annotated[int, Field(ge=1), Env("CITYGRAPH_LIVE_OPERATIONS_PER_PRINCIPAL")] = 1_000
    live_connections_per_principal: Annotated[int, Field(ge=1), Env("CITYGRAPH_LIVE_CONNECTIONS_PER_PRINCIPAL")] = 100
    live_connections: Annotated[int, Field(ge=1), Env("CITYGRAPH_LIVE_CONNECTIONS")] = 20_000

    max_document_bytes: Annotated[int, Field(ge=1_000), Env("CITYGRAPH_MAX_DOCUMENT_BYTES")] = 100_000
    max_document_tokens: Annotated[int, Field(ge=100), Env("CITYGRAPH_MAX_DOCUMENT_TOKENS")] = 10_000
    max_depth: Annotated[int, Field(ge=1, le=60), Env("CITYGRAPH_MAX_DEPTH")] = 40
    max_fields: Annotated[int, Field(ge=1), Env("CITYGRAPH_MAX_FIELDS")] = 5_000
    max_aliases: Annotated[int, Field(ge=0), Env("CITYGRAPH_MAX_ALIASES")] = 500
    max_root_fields: Annotated[int, Field(ge=1), Env("CITYGRAPH_MAX_ROOT_FIELDS")] = 100
    max_directives: Annotated[int, Field(ge=0), Env("CITYGRAPH_MAX_DIRECTIVES")] = 200
    document_cache: Annotated[int, Field(ge=1), Env("CITYGRAPH_DOCUMENT_CACHE")] = 1_000

    introspection: Annotated[bool, Env("CITYGRAPH_INTROSPECTION")] = True
    query_plan_roles: Annotated[Names, Env("CITYGRAPH_QUERY_PLAN_ROLES")] = ()
    hooks: Annotated[Names, Env("CITYGRAPH_HOOKS")] = ()
    hooks_dir: Annotated[Path, Env("CITYGRAPH_HOOKS_DIR")] = Path()
    hook_timeout_s: Annotated[float, Field(gt=0), Env("CITYGRAPH_HOOK_TIMEOUT_S")] = 5

    subgraphs: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")], SubgraphSource] = {}
    headers: HeaderRules = ()
    contract: Contract | None = None

    @property
    def store_url(self) -> str:
        """`DATABASE_URL`, or the SQLite file in the data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{(self.data_dir / 'citygraph.db').resolve()}"

    @property
    def object_store_url(self) -> str:
        """`CITYGRAPH_ARTEFACTS_URL`, or the folder `artefacts` in the data folder."""
        return self.artefacts_url or str((self.data_dir / "artefacts").resolve())

    @property
    def backup_location(self) -> str:
        """`CITYGRAPH_BACKUP_URL`, or the folder in the data folder."""
        return self.backup_url or str((self.data_dir / "backups").resolve())

    @property
    def issuer_url(self) -> str | None:
        """What a token's `iss` must say: `CITYGRAPH_ISSUER`, or Keycloak's URL of the realm."""
        if self.issuer is not None:
            return self.issuer
        return f"{self.keycloak_url.rstrip('/')}/realms/{self.keycloak_realm}" if self.keycloak_url else None

    @property
    def max_payload_bytes(self) -> int:
        return int(self.max_payload_mb * 1_000_000)


def environment_names() -> dict[str, str]:
    """The environment variable of every setting that has one, by the setting's name."""
    return {name: env.name for name, field in Settings.model_fields.items() for env in field.metadata if isinstance(env, Env)}


def load_settings(
    config_file: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    defaults: Mapping[str, object] | None = None,
) -> Settings:
    """Merges a command's own defaults, YAML, environment and flags (None there: not given). Raises `ConfigError`."""
    found = os.environ if environ is None else environ
    names = environment_names()
    sources: dict[str, str] = {}
    values: dict[str, object] = dict(defaults or {})
    if config_file is not None:
        for name, value in read_config(config_file).items():
            values[name], sources[name] = value, f"{name} in {config_file}"
    for name, variable in names.items():
        if text := found.get(variable):
            values[name], sources[name] = text, variable
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], sources[name] = value, f"--{name.replace('_', '-')}"
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(error, values, sources)) from None


def read_config(path: Path) -> dict[str, Any]:
    """The YAML file as a mapping; a schema's path is resolved against the file's folder. Raises `ConfigError`."""
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_CONFIG_BYTES} bytes: that is no configuration")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{path}: expected a mapping of settings, with `subgraphs:` among them")
    resolve_paths(content, path.parent)
    if "hooks" in content:
        content.setdefault("hooks_dir", ".")
    for name in ("data_dir", "hooks_dir"):
        if isinstance(content.get(name), str):
            content[name] = path.parent / content[name]
    return content


def read_subgraph_schema(name: str, path: Path) -> str:
    """A subgraph's SDL from its file. Raises `ConfigError`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"subgraph {name}: schema {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"subgraph {name}: schema {path} is not UTF-8 text") from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_SECRET = re.compile(r"(url|secret|password|key|token)$")


def _explain(error: ValidationError, values: Mapping[str, object], sources: Mapping[str, str]) -> str:
    """One line a fault; a value is shown unless it may hold a secret (URLs may hold a password)."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        name, *rest = (str(part) for part in fault["loc"])
        where = ".".join([sources.get(name, name), *rest])
        if fault["type"] == "extra_forbidden" and not rest:
            lines.append(f"{where}: there is no such setting")
            continue
        shown = "" if _SECRET.search(name) or rest else f"{values.get(name)!r} cannot be used: "
        lines.append(f"{where}: {shown}{fault['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)
