"""What goes into the pipeline and what comes out of it, whatever protocol brought it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.server.incremental import Rest


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client sends."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Ready to encode. `status` is what the first request error asks for; 200 where there is `data`.

    `forbidden`: the caller was turned away, and the status says so whatever media type it takes. `rest` is what is still to come, where
    whoever asked takes an answer in parts.
    """

    body: Mapping[str, Any]
    status: int = 200
    forbidden: bool = False
    rest: Rest | None = field(default=None, compare=False)

    @property
    def executed(self) -> bool:
        return "data" in self.body
