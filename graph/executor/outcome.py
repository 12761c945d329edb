"""What the execution of an operation came to, before any protocol gives it a form."""

from dataclasses import dataclass
from typing import Any

from graph.executor.shape import JSONObject


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """`data` is ready to be written as JSON, in the client's order; `errors` are GraphQL error objects.

    `gap`: events of a subscription may be missing before this one.
    """

    data: JSONObject | None
    errors: list[dict[str, Any]]
    gap: bool = False
