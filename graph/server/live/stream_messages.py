"""What processes ask each other about a reserved stream, and answer: as JSON, sealed by the stream's token.

A question has its caller's access token in its headers, so whoever listens to Redis must not read it; and who does not know the stream's
token can ask nothing. Reading raises `UnreadableError` for what is not sealed so, and for what another version has written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography.fernet import Fernet, InvalidToken

from graph.auth.written_principal import read_principal, write_principal
from graph.errors import CityGraphError, InternalError
from graph.json_codec import InvalidJSON, dumps, loads
from graph.server.live.admission import Caller
from graph.server.live.event_stream import Submitted
from graph.server.messages import Answer, GraphQLRequest
from graph.server.problems import error_classes

T = TypeVar("T")


class UnreadableError(Exception):
    """Nothing that this version says."""


@dataclass(frozen=True, slots=True)
class Release:
    """Asks for a stream that is not open yet; `by` is None where the token alone has to do."""

    by: Caller | None


@dataclass(frozen=True, slots=True)
class Start:
    operation: Submitted


@dataclass(frozen=True, slots=True)
class Stop:
    caller: Caller
    id: str


@dataclass(frozen=True, slots=True)
class Released:
    """A reservation, and the operations that wait for its stream to be opened."""

    caller: Caller
    waiting: tuple[Submitted, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """`refusal` is what a submitted operation was answered with, if it was."""

    refusal: Answer | None = None


Asked = Release | Start | Stop
Told = Released | Done | CityGraphError


def write_question(question: Asked, seal: Fernet) -> str:
    match question:
        case Release(by):
            written: list[Any] = ["release", None if by is None else _write_caller(by)]
        case Start(operation):
            written = ["start", _write_submitted(operation)]
        case Stop(caller, id):
            written = ["stop", _write_caller(caller), id]
    return _sealed(written, seal)


def read_question(text: Any, seal: Fernet) -> Asked:
    return _read(text, seal, _question)


def write_answer(answer: Told, seal: Fernet) -> str:
    match answer:
        case Released(caller, waiting):
            written: list[Any] = ["released", _write_caller(caller), [_write_submitted(one) for one in waiting]]
        case Done(refusal):
            written = ["done", None if refusal is None else [refusal.body, refusal.status, refusal.forbidden]]
        case CityGraphError():
            written = ["error", answer.code, answer.detail, answer.extensions]
    return _sealed(written, seal)


def read_answer(text: Any, seal: Fernet) -> Told:
    return _read(text, seal, _answer)


def _question(written: Any) -> Asked:
    match written:
        case ["release", by]:
            return Release(None if by is None else _read_caller(by))
        case ["start", operation]:
            return Start(_read_submitted(operation))
        case ["stop", caller, str(id)]:
            return Stop(_read_caller(caller), id)
    raise ValueError


def _answer(written: Any) -> Told:
    match written:
        case ["released", caller, [*waiting]]:
            return Released(_read_caller(caller), tuple(map(_read_submitted, waiting)))
        case ["done", None]:
            return Done()
        case ["done", [dict(body), int(status), bool(forbidden)]]:
            return Done(Answer(body, status, forbidden))
        case ["error", str(code), str(detail), dict(extensions)]:
            return error_classes().get(code, InternalError)(detail, extensions=extensions)
    raise ValueError


def _write_caller(caller: Caller) -> list[Any]:
    return [write_principal(caller.principal), dict(caller.headers), caller.topic, caller.authorization]


def _read_caller(written: Any) -> Caller:
    principal, headers, topic, authorization = written
    return Caller(read_principal(principal), dict(headers), topic, authorization)


def _write_submitted(operation: Submitted) -> list[Any]:
    request = operation.request
    asked = [request.query, dict(request.variables), request.operation_name, dict(request.extensions)]
    return [operation.id, _write_caller(operation.caller), asked, operation.size]


def _read_submitted(written: Any) -> Submitted:
    id, caller, [query, variables, operation_name, extensions], size = written
    return Submitted(id, GraphQLRequest(query, variables, operation_name, extensions), _read_caller(caller), size)


def _sealed(written: list[Any], seal: Fernet) -> str:
    return seal.encrypt(dumps(written)).decode()


def _read(text: Any, seal: Fernet, read: Callable[[Any], T]) -> T:
    try:
        return read(loads(seal.decrypt(text), exact_integers=True))
    except (InvalidToken, InvalidJSON, TypeError, ValueError):
        raise UnreadableError from None
