"""Composition as a server uses it: what was composed is remembered from start to start.

Composing the same subgraphs again would give the same bytes, so composition is not even loaded then; a second start is quick for that.
"""

import hashlib
import logging
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from graph import json_codec
from graph.config import ConfigError
from graph.contracts import SubgraphSDL
from graph.federation_config import Contract
from graph.supergraph import Supergraph, SupergraphError, read_supergraph

if TYPE_CHECKING:
    from graph.composition import CompositionError

FILE = "supergraph.graphql"
logger = logging.getLogger(__name__)


class CompositionFailedError(Exception):
    """The subgraphs make no supergraph; `errors` say why."""

    def __init__(self, errors: "tuple[CompositionError, ...]") -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


def composed(subgraphs: Sequence[SubgraphSDL], remembered_in: Path | None = None, contract: Contract | None = None) -> Supergraph:
    """The supergraph of the subgraphs, read from the folder where it is remembered. Raises `CompositionFailedError`.

    With a `contract`, its API is smaller; raises `ConfigError` where it cannot be kept.
    """
    if remembered_in is None:
        return _compose(subgraphs, contract)[1]
    file, mark = remembered_in / FILE, f"# {_fingerprint(subgraphs, contract)}\n"
    if (known := _remembered(file, mark)) is not None:
        return known
    sdl, supergraph = _compose(subgraphs, contract)
    _remember(file, mark + sdl)
    return supergraph


def composed_sdl(subgraphs: Sequence[SubgraphSDL]) -> str:
    """The supergraph's text, with what a `Supergraph` does not keep. Raises `CompositionFailedError`."""
    return _compose(subgraphs, None)[0]


def narrowed(supergraph_sdl: str, contract: Contract) -> str:
    """The supergraph with the contract's API. Raises `ConfigError`."""
    from graph.supergraph.contract import filtered  # few have a contract

    try:
        return filtered(supergraph_sdl, include=contract.include, exclude=contract.exclude)
    except SupergraphError as error:
        raise ConfigError(str(error)) from None


def _compose(subgraphs: Sequence[SubgraphSDL], contract: Contract | None) -> tuple[str, Supergraph]:
    from graph.composition import Composed, Failed, compose  # takes longer to load than all that a warm start needs of it

    match compose(subgraphs):
        case Composed(supergraph_sdl=sdl, supergraph=supergraph):
            if contract is None:
                return sdl, supergraph
            sdl = narrowed(sdl, contract)
            return sdl, read_supergraph(sdl)
        case Failed(errors=errors):
            raise CompositionFailedError(errors)


def _fingerprint(subgraphs: Sequence[SubgraphSDL], contract: Contract | None) -> str:
    """Of all that composition depends on: its code, and what it is given."""
    code = max(file.stat().st_mtime_ns for file in Path(__file__).with_name("composition").rglob("*.py"))
    given = [[s.name, s.url, s.sdl] for s in sorted(subgraphs, key=lambda s: s.name)]
    return hashlib.sha256(json_codec.dumps([version("citygraph"), code, given, contract.model_dump() if contract else None])).hexdigest()


def _remembered(file: Path, mark: str) -> Supergraph | None:
    try:
        text = file.read_text()
        return _read(text) if text.startswith(mark) else None
    except (OSError, UnicodeDecodeError, SupergraphError):
        return None


@lru_cache(maxsize=1)
def _read(text: str) -> Supergraph:
    """A federation is made anew for reasons that are not in its supergraph, too."""
    return read_supergraph(text)


def _remember(file: Path, text: str) -> None:
    """A folder that cannot be written costs the next start its speed, and nothing else."""
    new = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text)
        new.replace(file)
    except OSError as error:
        logger.warning("the composed supergraph cannot be remembered in %s: %s", file.parent, error.strerror)
