"""Which OpenStreetMap tag makes what city object, and what of its tags becomes typed attributes.

`RULES` is the whole mapping: another feature is one more line and one function here. The text of single values is
read in `values`, geometry in `reader`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from resolvers.city_objects.records import CityObjectType, JSONValue
from resolvers.integrations.openstreetmap import values

Tags = Mapping[str, str]
Typed = dict[str, JSONValue]

RAW_PREFIX = "osm:"


class Shape(Enum):
    """What a feature's geometry is: the area inside its outline, or the line itself."""

    AREA = auto()
    LINE = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """What has the tag `key`, other than `no`, is of `type`; `typed` reads the attributes that are GraphQL fields."""

    key: str
    type: CityObjectType
    shape: Shape
    typed: Callable[[Tags], Typed]


def attributes(rule: Rule, tags: Tags) -> Typed:
    """Every tag as it is, and the typed attributes under their fields' names.

    A field's name holds a typed value or nothing: a tag of the same name that says something else (`lanes=2;3`,
    `oneway=-1`) is kept as `osm:lanes`, `osm:oneway`.
    """
    typed = rule.typed(tags)
    merged: Typed = {}
    for key, text in tags.items():
        if key not in typed:
            merged[key] = text
        elif text != _as_tag(typed[key]):
            merged[RAW_PREFIX + key] = text
    merged.update((name, value) for name, value in typed.items() if value is not None)
    return merged


def rule_for(tags: Tags) -> Rule | None:
    """The first rule whose tag the feature has: a thing is one city object, however many rules fit it."""
    return next((rule for rule in RULES if tags.get(rule.key, "no") != "no"), None)


def _building(tags: Tags) -> Typed:
    return {"buildingType": _kind(tags["building"]), "address": _address(tags), **_body(tags)}


def _building_part(tags: Tags) -> Typed:
    return {"className": _kind(tags["building:part"]), **_body(tags)}


def _body(tags: Tags) -> Typed:
    return {
        "heightMetres": _read(tags, "height", values.metres),
        "storeysAboveGround": _read(tags, "building:levels", values.storeys),
        "storeysBelowGround": _read(tags, "building:levels:underground", values.storeys),
        "yearBuilt": _read(tags, "start_date", values.year),
    }


def _road(tags: Tags) -> Typed:
    return {
        "roadType": tags["highway"],
        "lanes": _read(tags, "lanes", values.lanes),
        "maxSpeedKmh": _read(tags, "maxspeed", values.kilometres_per_hour),
        "surface": _read(tags, "surface", values.words),
        "oneway": _read(tags, "oneway", values.oneway),
    }


def _address(tags: Tags) -> JSONValue:
    """None where no part is known. A house on a named place instead of a street has the place's name as street."""
    address: dict[str, JSONValue] = {
        "street": tags.get("addr:street") or tags.get("addr:place"),
        "houseNumber": tags.get("addr:housenumber"),
        "postcode": tags.get("addr:postcode"),
        "locality": tags.get("addr:city"),
    }
    known = {part: text for part, text in address.items() if text}
    return known or None


def _kind(text: str) -> str | None:
    """`yes` says that it is one, not which."""
    return None if text == "yes" else text


def _read(tags: Tags, key: str, read: Callable[[str], JSONValue]) -> JSONValue:
    text = tags.get(key)
    return None if text is None else read(text)


def _as_tag(value: JSONValue) -> str | None:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case None:
            return None
        case _:
            return str(value)


RULES = (
    Rule("building", CityObjectType.BUILDING, Shape.AREA, _building),
    Rule("building:part", CityObjectType.BUILDING_PART, Shape.AREA, _building_part),
    Rule("highway", CityObjectType.ROAD, Shape.LINE, _road),
)
