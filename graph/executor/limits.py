"""What one operation may cost at most."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExecutorLimits:
    """`operation_timeout` is in seconds. A fetch with more representations than allowed is sent as several requests.

    `prepared_plans` is the number of plans whose generated code is kept.
    """

    operation_timeout: float = 60.0
    representations_per_request: int = 5_000
    errors: int = 100
    prepared_plans: int = 1_000
