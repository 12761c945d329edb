"""Plans, readable, one file a case; see README.md."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from graph.composition import Composed, SubgraphSDL, compose
from graph.planner import Planner
from graph.planner.explain import plan_to_text
from graph.supergraph import read_supergraph

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.plan"))
SECTION = re.compile(r"^=== (subgraph \w+|operation|plan)\n", re.MULTILINE)
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{}])\n'
DIRECTIVES = ("@key", "@shareable", "@external", "@requires", "@provides", "@interfaceObject", "@override")


def _sections(text: str) -> dict[str, str]:
    parts = SECTION.split(text)
    return {"about": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.stem)
def test_plan_of_a_case_is_the_recorded_one(case: Path, request: pytest.FixtureRequest) -> None:
    sections = _sections(case.read_text())
    link = LINK.format(", ".join(f'"{d}"' for d in DIRECTIVES))
    subgraphs = [
        SubgraphSDL(name.removeprefix("subgraph "), f"http://{name.removeprefix('subgraph ')}", link + sdl)
        for name, sdl in sections.items()
        if name.startswith("subgraph ")
    ]

    composed = compose(subgraphs)
    assert isinstance(composed, Composed), composed
    supergraph = read_supergraph(composed.supergraph_sdl)
    document = parse(sections["operation"])
    assert validate(supergraph.api_schema, document) == []
    plan = plan_to_text(Planner(supergraph).plan(document))

    if request.config.getoption("--update-plans"):
        case.write_text(case.read_text().split("=== plan\n")[0] + "=== plan\n" + plan)
    assert sections.get("plan") == plan
