"""Runs a plan: sends its requests, merges their answers, projects what the client asked for."""

from graph.executor.executor import Executor
from graph.executor.health import CircuitState, HealthRegistry, SubgraphHealth
from graph.executor.limits import ExecutorLimits
from graph.executor.outcome import ExecutionOutcome

__all__ = ["CircuitState", "ExecutionOutcome", "Executor", "ExecutorLimits", "HealthRegistry", "SubgraphHealth"]
