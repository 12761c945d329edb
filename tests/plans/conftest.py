"""The option that rewrites plan snapshots."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-plans", action="store_true", help="write the plans of tests/plans/*.plan anew")
