"""Which texts are UCUM codes (ICD §6.1: units of numeric telemetry)."""

import pytest

from resolvers.telemetry.units import is_unit


@pytest.mark.parametrize("code", ["1", "Cel", "%", "kW.h", "ug/m3", "m/s", "[degF]", "10*3/uL", "mm[Hg]", "{vehicles}/h", "/min", "cd/m2"])
def test_unit_when_it_is_a_ucum_code_then_it_is_known(code: str) -> None:
    assert is_unit(code)


@pytest.mark.parametrize("code", ["", "celsius", "°C", "µg/m3", "cel", "m s", "m/", "0.5", "KWH", "{ä}", " Cel", "m" + ".m" * 32])
def test_unit_when_it_is_none_then_it_is_not_known(code: str) -> None:
    assert not is_unit(code)


def test_unit_when_case_differs_then_it_is_another() -> None:
    """UCUM's case-sensitive form: `Mm` are megametres."""
    assert is_unit("Mm")
    assert is_unit("mm")
    assert not is_unit("MM")
