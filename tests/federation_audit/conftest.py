"""Lets pytest explain the assertions that two test modules share."""

import pytest

pytest.register_assert_rewrite("tests.federation_audit.expectations")
