"""An operator's own code at the stages of an operation: found by name, called in order, and watched while it runs.

A hook may refuse (by raising one of `graph.errors`), and change what is handed on (by returning another one). Whatever else it raises
is its own fault: the log has it with its traceback, the client a neutral error. `docs/hooks.md` tells operators.
"""

import asyncio
import importlib
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable, iscoroutinefunction
from pathlib import Path
from typing import Any, TypeVar

from graph.config import ConfigError
from graph.contracts import RequestContext, SubgraphRequest, SubgraphResponse, Transport
from graph.errors import CityGraphError, InternalError
from graph.planner.plan import Plan
from graph.server.messages import Answer, GraphQLRequest

logger = logging.getLogger(__name__)

Value = TypeVar("Value")
Returned = TypeVar("Returned")


@dataclass(frozen=True, slots=True)
class Hook:
    """A function of somebody's, and its name for the log: `module:Class.function`."""

    name: str
    function: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of each stage, in the configuration's order. An asynchronous one may take `timeout` seconds."""

    on_operation: tuple[Hook, ...] = ()
    on_plan: tuple[Hook, ...] = ()
    on_fetch: tuple[Hook, ...] = ()
    on_response: tuple[Hook, ...] = ()
    override_label: tuple[Hook, ...] = ()
    policy: tuple[Hook, ...] = ()
    timeout: float = 5.0

    async def operation(self, request: GraphQLRequest, context: RequestContext) -> GraphQLRequest:
        """Raises `CityGraphError`, as the others do."""
        for hook in self.on_operation:
            request = await self._changed(hook, request, GraphQLRequest, request, context)
        return request

    async def plan(self, plan: Plan, request: GraphQLRequest, context: RequestContext) -> None:
        for hook in self.on_plan:
            _check(hook, await self._called(hook, plan, request, context), type(None))

    async def fetch(self, subgraph: str, request: SubgraphRequest, context: RequestContext) -> SubgraphRequest:
        for hook in self.on_fetch:
            request = await self._changed(hook, request, SubgraphRequest, subgraph, request, context)
        return request

    async def response(self, answer: Answer, request: GraphQLRequest, context: RequestContext) -> Answer:
        for hook in self.on_response:
            answer = await self._changed(hook, answer, Answer, answer, request, context)
        return answer

    def decide(self, label: str, context: RequestContext) -> bool:
        """Whether a label of `@override` holds: one hook that says so is enough."""
        return any(_says_so(hook, label, context) for hook in self.override_label)

    def satisfies(self, policy: str, context: RequestContext) -> bool:
        """Whether the caller satisfies a policy of `@policy`: one hook that says so is enough, and without one nobody does."""
        return any(_says_so(hook, policy, context) for hook in self.policy)

    def around(self, transports: Mapping[str, Transport]) -> Mapping[str, Transport]:
        """The ways to the subgraphs, with `on_fetch` before each; the same ones where there is no such hook."""
        if not self.on_fetch:
            return transports
        return {name: HookedTransport(name, transport, self) for name, transport in transports.items()}

    async def _changed(self, hook: Hook, value: Value, kind: type[Value], *arguments: object) -> Value:
        returned = await self._called(hook, *arguments)
        return value if returned is None else _check(hook, returned, kind)

    async def _called(self, hook: Hook, *arguments: object) -> object:
        try:
            returned = hook.function(*arguments)
            return await self._awaited(returned) if isawaitable(returned) else returned
        except CityGraphError as refusal:
            logger.info("hook %s refused: %s: %s", hook.name, refusal.code, refusal.detail)
            raise
        except Exception as error:
            raise _failed(hook, error) from error

    async def _awaited(self, returned: Awaitable[Returned]) -> Returned:
        async with asyncio.timeout(self.timeout):
            return await returned


NO_HOOKS = Hooks()
DECISIONS = ("override_label", "policy")
STAGES = ("on_operation", "on_plan", "on_fetch", "on_response", *DECISIONS)


class HookedTransport:
    """A way to a subgraph that asks the hooks first."""

    def __init__(self, subgraph: str, transport: Transport, hooks: Hooks) -> None:
        self._subgraph, self._transport, self._hooks = subgraph, transport, hooks

    async def execute(self, request: SubgraphRequest, context: RequestContext) -> SubgraphResponse:
        request = await self._hooks.fetch(self._subgraph, request, context)
        return await self._transport.execute(request, context)

    async def subscribe(self, request: SubgraphRequest, context: RequestContext) -> AsyncGenerator[SubgraphResponse, None]:
        request = await self._hooks.fetch(self._subgraph, request, context)
        async with aclosing(self._transport.subscribe(request, context)) as responses:
            async for response in responses:
                yield response

    def caller(self, context: RequestContext) -> Hashable:
        """A hook may tell anybody apart from anybody."""
        return object()

    async def close(self) -> None:
        await self._transport.close()


def load_hooks(names: Sequence[str], folder: Path, timeout: float) -> Hooks:
    """The hooks of classes named `module:Class`; modules of `folder` can be imported too. Raises `ConfigError`."""
    hooks: dict[str, tuple[Hook, ...]] = dict.fromkeys(STAGES, ())
    for name in names:
        instance = _instance(name, str(folder.resolve()))
        found = {stage: Hook(f"{name}.{stage}", getattr(instance, stage)) for stage in STAGES if hasattr(instance, stage)}
        _check_class(name, instance, found)
        for stage, hook in found.items():
            hooks[stage] += (hook,)
    return Hooks(
        on_operation=hooks["on_operation"],
        on_plan=hooks["on_plan"],
        on_fetch=hooks["on_fetch"],
        on_response=hooks["on_response"],
        override_label=hooks["override_label"],
        policy=hooks["policy"],
        timeout=timeout,
    )


@lru_cache(maxsize=64)
def _instance(name: str, folder: str) -> object:
    """One object for the process, so that what a hook remembers outlives a reload."""
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name:
        raise ConfigError(f"hooks: {name!r} is not the name of a class: expected `module:Class`")
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that no file there takes the place of a library
    try:
        kind = getattr(importlib.import_module(module_name), class_name, None)
        instance: object = kind() if kind is not None else None
    except Exception as error:
        raise ConfigError(f"hooks: {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if instance is None:
        raise ConfigError(f"hooks: the module {module_name!r} has no {class_name!r}")
    return instance


def _check_class(name: str, instance: object, found: Mapping[str, Hook]) -> None:
    unknown = sorted(one for one in dir(instance) if one.startswith("on_") and one not in STAGES)
    if unknown or not found:
        said = f"there is no hook {unknown[0]!r}" if unknown else "it has no hook"
        raise ConfigError(f"hooks: {name}: {said}; hooks are {', '.join(STAGES)}")
    for stage in DECISIONS:
        if (decide := found.get(stage)) and iscoroutinefunction(decide.function):
            raise ConfigError(f"hooks: {name}: {stage} cannot be asynchronous: it decides before anything is awaited")


def _says_so(hook: Hook, name: str, context: RequestContext) -> bool:
    try:
        holds = hook.function(name, context)
    except Exception as error:
        raise _failed(hook, error) from error
    return _check(hook, holds, bool)


def _check(hook: Hook, returned: object, kind: type[Returned]) -> Returned:
    if not isinstance(returned, kind):
        raise _failed(hook, TypeError(f"it returned {type(returned).__name__}, where {kind.__name__} is expected"))
    return returned


def _failed(hook: Hook, error: Exception) -> InternalError:
    logger.error("hook %s failed: %s", hook.name, error, exc_info=error)
    return InternalError("a hook of this gateway failed; its log has the reason under this request's identifier")
