"""What is done on a small scale in the suite is done in full by `make soak`: all of it, by one switch."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_tests_when_they_scale_then_make_soak_finds_them() -> None:
    scaling = files_with(r"^from tests\.soak import")
    unmarked = scaling - files_with(r"\bpytest\.mark\.soak\b")

    assert len(scaling) > 5
    assert unmarked == set()


def test_tests_when_they_scale_then_by_the_one_switch() -> None:
    assert files_with(r"""["']CITYGRAPH_SOAK["']""") == {"soak.py"}


def files_with(pattern: str) -> set[str]:
    """The tests' own files that have it on some line."""
    wanted = re.compile(pattern, re.MULTILINE)
    return {str(path.relative_to(TESTS)) for path in TESTS.rglob("*.py") if wanted.search(path.read_text(encoding="utf-8"))}
