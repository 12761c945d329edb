"""The suites on disk: their SDLs, records and queries, and the subgraphs that stand for them in one process."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, parse

from graph.composition import SubgraphSDL
from tests.federation_audit.facts import read_facts
from tests.federation_audit.subgraph import Behaviour, build_subgraph

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """One query of a suite, and the answer that it should have."""

    suite: str
    number: int
    query: str
    data: Any
    errors: bool

    @property
    def id(self) -> str:
        return f"{self.suite}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    subgraphs: tuple[SubgraphSDL, ...]
    overridden: frozenset[tuple[str, str]]

    def schemas(self) -> dict[str, GraphQLSchema]:
        """Executable subgraphs by name, with their records and state as at the beginning."""
        behaviour = self.behaviour()
        return {
            subgraph.name: build_subgraph(
                subgraph.name, subgraph.sdl, behaviour, frozenset(field for name, field in self.overridden if name == subgraph.name)
            )
            for subgraph in self.subgraphs
        }

    def behaviour(self) -> Behaviour:
        module = import_module(f"tests.federation_audit.suites.{self.name.replace('-', '_')}")
        data = json.loads((HERE / self.name / "data.json").read_text(encoding="utf-8"))
        behaviour: Behaviour = module.behaviour(data)
        return behaviour


def suite_names() -> list[str]:
    return sorted(path.parent.name for path in HERE.glob("*/tests.json"))


@lru_cache
def read_suite(name: str) -> Suite:
    paths = sorted((HERE / name / "subgraphs").glob("*.graphql"))
    subgraphs = tuple(SubgraphSDL(path.stem, None, path.read_text(encoding="utf-8")) for path in paths)
    overridden = frozenset[tuple[str, str]]().union(*(read_facts(parse(subgraph.sdl)).overrides for subgraph in subgraphs))
    return Suite(name, subgraphs, overridden)


def cases() -> list[Case]:
    return [
        Case(name, number, test["query"], test["expected"].get("data"), bool(test["expected"].get("errors")))
        for name in suite_names()
        for number, test in enumerate(json.loads((HERE / name / "tests.json").read_text(encoding="utf-8")))
    ]
