"""May they: what a caller has been granted, held against what the supergraph demands.

Roles and scopes come from the token, policies from an operator's hook. The answer is a small set of words that the schema knows, so that
plans can be kept by it; which fields it denies is worked out once for each such set.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graph.contracts import Principal, RequestContext
from graph.planner.normalize.operation import Condition, Field, Operation
from graph.rights import EVERY_SCOPE, ROLE_SCOPES, foreign_scopes
from graph.supergraph.demands import AUTHENTICATED, POLICY, Demands, Denied, Granted, Refusal, policy, scope

MAX_CALLERS = 256
"""Combinations of roles and scopes for which what is granted, and what is denied, is kept."""

Satisfies = Callable[[str, RequestContext], bool]


def nobody_satisfies(name: str, context: RequestContext) -> bool:
    """A policy that nobody evaluates denies."""
    return False


class Policy:
    """The rights of one supergraph."""

    def __init__(self, demands: Demands, satisfies: Satisfies = nobody_satisfies) -> None:
        self._demands, self._satisfies = demands, satisfies
        self._policies = sorted(word.removeprefix(POLICY) for word in demands.words if word.startswith(POLICY))
        self._callers: dict[tuple[frozenset[str], frozenset[str], bool], Granted] = {}
        self._denied: OrderedDict[Granted, Denied] = OrderedDict()

    def granted(self, context: RequestContext) -> Granted:
        """Of what the schema demands anywhere, what the caller has. Raises `InternalError` where a hook fails."""
        principal = context.principal
        caller = (principal.roles, principal.scopes, principal.authenticated)
        granted = self._callers.get(caller)
        if granted is None:
            while len(self._callers) >= MAX_CALLERS:
                del self._callers[next(iter(self._callers))]
            granted = self._callers[caller] = self._granted(principal)
        if not self._policies or EVERY_SCOPE in principal.scopes:
            return granted
        return granted.union(policy(name) for name in self._policies if self._satisfies(name, context))

    def _granted(self, principal: Principal) -> Granted:
        """What the token alone brings."""
        if EVERY_SCOPE in principal.scopes:
            return self._demands.words
        scopes = foreign_scopes(principal.scopes).union(*(ROLE_SCOPES.get(role, ()) for role in principal.roles))
        found = {AUTHENTICATED} if principal.authenticated else set()
        return self._demands.words & found.union(map(scope, scopes))

    def denied(self, granted: Granted) -> Denied:
        denied = self._denied.get(granted)
        if denied is None:
            denied = self._denied[granted] = self._demands.denied(granted)
            while len(self._denied) > MAX_CALLERS:
                self._denied.popitem(last=False)
        return denied


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A root field that the caller may not use, and the conditions under which it asked for it."""

    response_key: str
    conditions: frozenset[Condition]
    refusal: Refusal

    @property
    def always(self) -> bool:
        return all(one.is_deferral for one in self.conditions)

    def asked(self, variables: Mapping[str, Any]) -> bool:
        return holds(self.conditions, variables)


def refused_fields(operation: Operation, root_type: str, denied: Denied) -> tuple[RefusedField, ...]:
    """Those of an operation's root fields that its caller may not use."""
    return tuple(
        RefusedField(one.response_key, one.conditions, refusal)
        for one in operation.selections
        if isinstance(one, Field) and (refusal := denied.fields.get((root_type, one.name)))
    )


def holds(conditions: frozenset[Condition], variables: Mapping[str, Any]) -> bool:
    """What is deferred comes all the same."""
    return all(one.is_deferral or variables.get(one.variable) is one.expected for one in conditions)
