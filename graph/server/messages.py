"""What goes into the pipeline and what comes out of it, whatever protocol brought it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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

    `forbidden`: the caller was turned away, and the status says so whatever media type it takes.
    """

    body: Mapping[str, Any]
    status: int = 200
    forbidden: bool = False

    @property
    def executed(self) -> bool:
        return "data" in self.body
