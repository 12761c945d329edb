"""A city as an operator starts it, `citygraph serve`, with a data folder and an identity provider of the benchmark's own.

What it is set to is what the settings are by default. It has sensors, whose readings are ingested, and models, which are patched: both by
mutations over HTTP, as anybody makes them.
"""

import asyncio
import http.client
import json
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from servers import START_S, BenchmarkError, Server, printed, start, stop

from graph.auth.claims import ROLES
from graph.auth.demo_issuer import DISCOVERY_PATH, JWKS_PATH, DemoIssuer, move_issuer, open_issuer
from live_load.audience import Sent
from live_load.tokens import AUDIENCE, CITY, signer
from resolvers.cities.commands import ensure_city
from resolvers.stores.engine import Store

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""

RECEIVED = """subscription ($sensors: [ID!]!) { telemetryReceived(entityIds: $sensors, minIntervalMs: 0) {
  cursor entityId points { timestamp key value unit source }
} }"""
EVENTS = """subscription ($model: ID!) { modelEvents(modelId: $model) {
  ... on ModelPatched { cursor at newVersion etag patch updatedBy }
} }"""
SENSORS = "mutation ($objects: [CityObjectInput!]!) { upsertCityObjects(input: {objects: $objects}) { objects { id } } }"
INGEST = "mutation ($entities: [EntityTelemetryInput!]!) { ingestTelemetry(input: {entities: $entities}) { acceptedPoints } }"
CREATE = 'mutation { createModel(input: {name: "Value chain", content: {height: 1}}) { model { id } } }'
PATCH = """mutation ($model: ID!, $base: Int!, $patch: JSONPatch!) {
  patchModel(input: {id: $model, baseVersion: $base, patch: $patch}) { newVersion }
}"""


@dataclass(frozen=True, slots=True)
class City:
    """`token` is somebody's who may do everything."""

    server: Server
    port: int
    token: str
    issuer: Path

    def ask(self, query: str, variables: Mapping[str, object]) -> tuple[Any, Sent]:
        """The data of an answer, and when it was asked. Raises `BenchmarkError` where it has errors."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        status, answer, sent = posted(self.port, "/graphql", body, {"Authorization": f"Bearer {self.token}"})
        told = json.loads(answer)
        if status != 200 or told.get("errors"):
            raise BenchmarkError(f"the city answers {status}: {answer[:500]!r}")
        return told["data"], sent

    def sensors(self, count: int) -> list[str]:
        """Their identifiers."""
        objects = [
            {
                "type": "SENSOR",
                "name": f"Sensor {n}",
                "source": "benchmark",
                "sourceId": str(uuid4()),
                "geometry": {"type": "Point", "coordinates": [24.9, 60.2]},
            }
            for n in range(count)
        ]
        data, _ = self.ask(SENSORS, {"objects": objects})
        return [one["id"] for one in data["upsertCityObjects"]["objects"]]


@dataclass(slots=True)
class Readings:
    """Events of telemetry: one reading of each of some sensors comes in by one mutation, and its value is the event's number."""

    city: City
    sensors: Sequence[str]
    next_number: int = 1
    number: bytes = rb'"value":(\d+)'
    subscribe: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.subscribe = {"query": RECEIVED, "variables": {"sensors": list(self.sensors)}}

    @property
    def port(self) -> int:
        return self.city.port

    @property
    def issuer(self) -> Path | None:
        return self.city.issuer

    def send(self, count: int) -> Sent:
        numbers = range(self.next_number, self.next_number + count)
        entities = [{"entityId": sensor, "points": [reading(number)]} for sensor, number in zip(self.sensors, numbers, strict=False)]
        self.next_number += count
        data, sent = self.city.ask(INGEST, {"entities": entities})
        if data["ingestTelemetry"]["acceptedPoints"] != count:
            raise BenchmarkError(f"{data['ingestTelemetry']['acceptedPoints']} of {count} points were accepted")
        return sent


@dataclass(slots=True)
class Patches:
    """Events of one model: each patch makes the next version, which is the event's number."""

    city: City
    model: str
    next_number: int = 2
    number: bytes = rb'"newVersion":(\d+)'
    subscribe: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self.subscribe = {"query": EVENTS, "variables": {"model": self.model}}

    @classmethod
    def of_a_new_model(cls, city: City) -> "Patches":
        data, _ = city.ask(CREATE, {})
        return cls(city, data["createModel"]["model"]["id"])

    @property
    def port(self) -> int:
        return self.city.port

    @property
    def issuer(self) -> Path | None:
        return self.city.issuer

    def send(self, count: int) -> Sent:
        if count != 1:
            raise BenchmarkError(f"a patch makes one event, not {count}")
        patch = [{"op": "replace", "path": "/height", "value": self.next_number}]
        _, sent = self.city.ask(PATCH, {"model": self.model, "base": self.next_number - 1, "patch": patch})
        self.next_number += 1
        return sent


def reading(number: int) -> dict[str, object]:
    return {"timestamp": START + 1_000 * number, "key": "power", "value": number, "unit": "W"}


def posted(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, Sent]:
    """Status and answer; the time is taken when the connection stands, as a client's does that has been here before."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.connect()
        sent = Sent(time.monotonic_ns())
        connection.request("POST", path, body, {"Content-Type": "application/json", "Accept": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(), sent
    except OSError as error:
        raise BenchmarkError(f"the server at port {port} does not answer: {error!r}") from error
    finally:
        connection.close()


@contextmanager
def running_city(folder: Path, core: int | None, *flags: str, **settings: str) -> Iterator[City]:
    """Migrated and serving; from a folder that has been used before, in moments. `settings` are environment variables."""
    citygraph = Path(sysconfig.get_path("scripts")) / "citygraph"
    if not citygraph.exists():
        raise BenchmarkError(f"{citygraph} is missing; install the project into the environment that runs this: pip install -e .")
    folder.mkdir(parents=True, exist_ok=True)
    with published_issuer(folder / "issuer.json") as issuer:
        database = f"sqlite:///{folder / 'city.db'}"
        environment = {
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database,
            "CITYGRAPH_ISSUER": issuer.url,
            "KEYCLOAK_AUDIENCE": AUDIENCE,
            "CITY_ID": CITY,
            **settings,
        }
        if not (folder / "city.db").exists():
            migrate([str(citygraph), "migrate"], core, folder, environment)
            asyncio.run(name_city(database))
        server = start("citygraph", [str(citygraph), "serve", "--port", "0", *flags], core, folder, environment)
        try:
            port = int(printed(server, r"GraphQL at http://[^:]+:(\d+)/graphql"))
            yield City(server, port, signer(folder / "issuer.json", tuple(sorted(ROLES)))("operator"), folder / "issuer.json")
        finally:
            stop(server)


def migrate(command: Sequence[str], core: int | None, folder: Path, environment: Mapping[str, str]) -> None:
    running = start("migrate", command, core, folder, environment)
    try:
        status = running.process.wait(START_S)
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"the city was not migrated within {START_S:.0f} s") from None
    finally:
        stop(running)
    if status:
        raise BenchmarkError(f"the city cannot be migrated: {running.log.read_text()[-2000:]}")


async def name_city(database: str) -> None:
    """As an import of its data does."""
    store = Store(database)
    try:
        await ensure_city(store, tenant=CITY, id=CITY, name="Helsinki", country="FI", timezone="Europe/Helsinki")
    finally:
        await store.close()


@contextmanager
def published_issuer(path: Path) -> Iterator[DemoIssuer]:
    """An identity provider that answers for its keys."""

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({DISCOVERY_PATH: made.discovery(), JWKS_PATH: made.jwks()}[self.path]).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Documents) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        made = move_issuer(path, open_issuer(path, url), url)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()
