"""Metres on the WGS 84 ellipsoid: margins, lengths and areas. Degrees are never taken for metres."""

import math

# The shortest degree of latitude (at the equator) and the length of a degree of longitude there; both on WGS 84.
_METRES_PER_DEGREE_OF_LATITUDE = 110_574.0
_METRES_PER_DEGREE_OF_LONGITUDE = 111_319.0


def latitude_margin(metres: float) -> float:
    """Degrees of latitude that are at least so many metres, anywhere."""
    return metres / _METRES_PER_DEGREE_OF_LATITUDE


def longitude_margin(south: float, north: float, metres: float) -> float:
    """Degrees of longitude that are at least so many metres at every latitude within so many metres of the band."""
    widest = max(abs(south), abs(north)) + latitude_margin(metres)
    if widest >= 89.9:
        return 360.0
    return metres / (_METRES_PER_DEGREE_OF_LONGITUDE * math.cos(math.radians(widest)))
