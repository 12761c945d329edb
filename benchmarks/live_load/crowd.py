"""Subscribers by the thousand in one process, over plain sockets and one epoll: the load has to cost less than what it loads.

Each is a person of its own, with a token of its own, and names its operation by a UUID, as `graphql-ws` does. Each must hear every
event once and in order; a crowd tells when each event reached each of them.
"""

import json
import os
import re
import select
import signal
import socket
import time
from array import array
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from live_load import wire
from live_load.tokens import signer

AT_A_TIME = 100
"""Connections that are being opened at once."""
READ_BYTES = 262_144
BIND_ADDRESS_NO_PORT = 24
"""From Linux's `in.h`: the port is chosen as the connection is made, so that servers on other ports do not use up an address's ports."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`source` is the address to connect from: one pair of addresses has 28,232 ports. `number` finds an event's number in its frame;
    frames without one are of other events. `issuer` is None where no tokens are asked for."""

    port: int
    subscribe: dict[str, object]
    number: bytes
    count: int
    first: int
    source: str
    issuer: Path | None
    core: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """All have subscribed; whether the server listens for them already, only an event tells."""


@dataclass(frozen=True, slots=True)
class Expect:
    """From now on, the events of `count` numbers from `first` on are to come."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Expecting:
    """An event that is sent from now on is heard."""


@dataclass(frozen=True, slots=True)
class Tell:
    """What came until now is to be told, whether it is all or not."""


@dataclass(frozen=True, slots=True)
class Heard:
    """For each event when it reached the subscribers, by the machine's monotonic clock in nanoseconds; and how long one frame was."""

    arrivals: "list[array[int]]"
    frame_bytes: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Nothing can be measured any more."""

    reason: str


class Stage(Enum):
    UPGRADING = auto()
    ADMITTING = auto()
    SUBSCRIBED = auto()


@dataclass(slots=True, eq=False)
class Subscriber:
    """`heard` counts the expected events; `rest` is the beginning of a frame whose end has not come."""

    socket: socket.socket
    stage: Stage = Stage.UPGRADING
    rest: bytes = b""
    heard: int = 0


class BrokenError(Exception):
    """A subscriber's connection is not what it should be."""


class Crowd:
    def __init__(self, plan: Plan, pipe: "Connection[object, object]") -> None:
        self._plan, self._pipe = plan, pipe
        self._sign = None if plan.issuer is None else signer(plan.issuer)
        self._number = re.compile(plan.number)
        self._poll = select.epoll()
        self._poll.register(pipe.fileno(), select.EPOLLIN)
        self._subscribers: dict[int, Subscriber] = {}
        self._subscribed = 0
        self._read = memoryview(bytearray(READ_BYTES))
        self._first = self._missing = 0
        self._arrivals: list[array[int]] = []
        self._frame_bytes = 0

    def run(self) -> None:
        """Until the other end of the pipe is closed."""
        for _ in range(min(AT_A_TIME, self._plan.count)):
            self._open()
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._pipe.fileno():
                    self._obey()
                else:
                    self._receive(self._subscribers[descriptor])

    def _obey(self) -> None:
        match self._pipe.recv():
            case Expect(first, count):
                self._first = first
                self._arrivals = [array("q") for _ in range(count)]
                self._missing = count * self._plan.count
                for one in self._subscribers.values():
                    one.heard = 0
                self._pipe.send(Expecting())
            case Tell() if self._missing:
                self._tell()

    def _tell(self) -> None:
        self._missing = 0
        self._pipe.send(Heard(self._arrivals, self._frame_bytes))
        self._first, self._arrivals = 0, []

    def _open(self) -> None:
        opened = socket.socket()
        opened.setsockopt(socket.SOL_IP, BIND_ADDRESS_NO_PORT, 1)
        opened.bind((self._plan.source, 0))
        opened.connect(("127.0.0.1", self._plan.port))
        opened.setblocking(False)
        opened.send(wire.upgrade_request(self._plan.port))
        self._subscribers[opened.fileno()] = Subscriber(opened)
        self._poll.register(opened.fileno(), select.EPOLLIN)

    def _receive(self, one: Subscriber) -> None:
        try:
            size = one.socket.recv_into(self._read)
        except BlockingIOError:
            return
        now = time.monotonic_ns()
        if not size:
            raise BrokenError("the server has closed a connection without a word")
        data = one.rest + bytes(self._read[:size])
        if one.stage is Stage.UPGRADING:
            self._upgraded(one, data)
            return
        found, one.rest = wire.frames(data)
        for opcode, payload in found:
            if opcode == wire.TEXT:
                self._text(one, payload, now)
            elif opcode == wire.CLOSE:
                raise BrokenError(f"the server closed a connection: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")

    def _upgraded(self, one: Subscriber, data: bytes) -> None:
        one.rest = data
        if b"\r\n\r\n" not in data:
            return
        if not data.startswith(b"HTTP/1.1 101 "):
            raise BrokenError(f"the server refused a connection: {data[:300]!r}")
        one.rest, one.stage = b"", Stage.ADMITTING
        number = self._plan.first + self._subscribed
        payload = {} if self._sign is None else {"Authorization": f"Bearer {self._sign(f'subscriber-{number}')}"}
        one.socket.send(wire.message(type="connection_init", payload=payload))

    def _text(self, one: Subscriber, payload: bytes, now: int) -> None:
        numbered = self._number.search(payload)
        if numbered is not None:
            self._event(one, int(numbered[1]), now, len(payload))
            return
        said = json.loads(payload)
        match said["type"]:
            case "connection_ack":
                one.socket.send(wire.message(id=str(uuid4()), type="subscribe", payload=self._plan.subscribe))
                one.stage = Stage.SUBSCRIBED
                self._one_more()
            case "ping":
                one.socket.send(wire.message(type="pong"))
            case "error" | "complete":
                raise BrokenError(f"a subscription ended: {payload[:500]!r}")
            case "next" if said["payload"].get("errors"):
                raise BrokenError(f"an event has errors: {payload[:500]!r}")

    def _one_more(self) -> None:
        self._subscribed += 1
        if len(self._subscribers) < self._plan.count:
            self._open()
        elif self._subscribed == self._plan.count:
            self._pipe.send(Opened())

    def _event(self, one: Subscriber, number: int, now: int, size: int) -> None:
        place = number - self._first
        if not self._missing or place < 0:
            return
        if place != one.heard:
            raise BrokenError(f"a subscriber heard event {number} where {self._first + one.heard} was to come")
        one.heard += 1
        self._arrivals[place].append(now)
        self._frame_bytes = size
        self._missing -= 1
        if not self._missing:
            self._tell()


def run(plan: Plan, pipe: "Connection[object, object]") -> None:
    """What the process does, until it is told no more."""
    # Ctrl-C goes to whoever started this, who ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if plan.core is not None:
        os.sched_setaffinity(0, {plan.core})
    try:
        Crowd(plan, pipe).run()
    except (EOFError, BrokenPipeError):
        return
    except (BrokenError, OSError) as error:
        pipe.send(Fault(str(error)))
