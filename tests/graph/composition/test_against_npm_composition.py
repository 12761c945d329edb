"""Composition held against another one: the same codes and the same public API, save for the differences that `docs/` justifies."""

from collections.abc import Mapping

import pytest
from composition_corpus import cases
from npm_comparison import Difference, difference, documented_differences

from graph.composition import SubgraphSDL
from tests.federation_audit.audit import read_suite, suite_names
from tests.federation_audit.oracle.npm_composition import NpmComposed, compose_by_npm

SETS: Mapping[str, tuple[SubgraphSDL, ...]] = {
    **{f"suite {name}": read_suite(name).subgraphs for name in suite_names()},
    **{str(case): case.subgraphs for case in cases()},
}


@pytest.fixture(scope="module")
def npm() -> dict[str, NpmComposed]:
    return compose_by_npm(SETS)


@pytest.mark.parametrize("name", SETS)
def test_compose_when_npm_composes_the_same_then_only_documented_differences_are_found(name: str, npm: dict[str, NpmComposed]) -> None:
    documented: Difference | None = documented_differences().get(name)

    found = difference(SETS[name], npm[name])

    assert found == documented


def test_documented_differences_when_read_then_each_is_about_a_case() -> None:
    documented = documented_differences()

    assert documented
    assert documented.keys() <= SETS.keys()
