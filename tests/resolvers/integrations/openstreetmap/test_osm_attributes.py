"""The mapping from tags to types and attributes."""

from resolvers.city_objects.records import CityObjectType
from resolvers.integrations.openstreetmap.attributes import attributes, rule_for


def _attributes(**tags: str) -> dict[str, object]:
    named = {key.replace("__", ":"): text for key, text in tags.items()}
    rule = rule_for(named)
    assert rule is not None
    return attributes(rule, named)


def test_attributes_when_a_building_has_everything_then_raw_tags_and_typed_ones_are_there() -> None:
    found = _attributes(
        building="office",
        name="Postitalo",
        height="40'",
        building__levels="7",
        building__levels__underground="2",
        start_date="1938-10",
        addr__street="Mannerheimaukio",
        addr__housenumber="1",
        addr__postcode="00100",
        addr__city="Helsinki",
    )

    assert found == {
        "building": "office",
        "name": "Postitalo",
        "height": "40'",
        "building:levels": "7",
        "building:levels:underground": "2",
        "start_date": "1938-10",
        "addr:street": "Mannerheimaukio",
        "addr:housenumber": "1",
        "addr:postcode": "00100",
        "addr:city": "Helsinki",
        "buildingType": "office",
        "heightMetres": 12.192,
        "storeysAboveGround": 7,
        "storeysBelowGround": 2,
        "yearBuilt": 1938,
        "address": {"street": "Mannerheimaukio", "houseNumber": "1", "postcode": "00100", "locality": "Helsinki"},
    }


def test_attributes_when_values_cannot_be_read_then_typed_ones_are_left_out_and_raw_ones_kept() -> None:
    found = _attributes(building="yes", height="tall", building__levels="?", start_date="before 1815")

    assert found == {"building": "yes", "height": "tall", "building:levels": "?", "start_date": "before 1815"}


def test_attributes_when_a_road_tag_has_a_fields_name_then_the_typed_value_wins_and_the_text_is_kept_beside() -> None:
    found = _attributes(highway="primary", lanes="2;3", oneway="-1", maxspeed="FI:urban", surface="asphalt")

    assert found == {
        "highway": "primary",
        "maxspeed": "FI:urban",
        "roadType": "primary",
        "lanes": 2,
        "osm:lanes": "2;3",
        "oneway": True,
        "osm:oneway": "-1",
        "surface": "asphalt",
    }


def test_attributes_when_a_road_value_cannot_be_read_then_the_fields_name_holds_nothing() -> None:
    found = _attributes(highway="residential", lanes="several", oneway="reversible")

    assert found == {"highway": "residential", "roadType": "residential", "osm:lanes": "several", "osm:oneway": "reversible"}


def test_attributes_when_oneway_is_plain_then_it_is_not_kept_twice() -> None:
    assert _attributes(highway="service", oneway="no") == {"highway": "service", "roadType": "service", "oneway": False}


def test_rule_when_a_thing_is_building_and_part_then_it_is_one_building() -> None:
    rule = rule_for({"building": "yes", "building:part": "yes"})

    assert rule is not None
    assert rule.type is CityObjectType.BUILDING


def test_rule_when_the_tag_says_no_then_the_next_rule_is_asked() -> None:
    part = rule_for({"building": "no", "building:part": "roof"})

    assert part is not None
    assert part.type is CityObjectType.BUILDING_PART
    assert rule_for({"building": "no"}) is None
    assert rule_for({"amenity": "bench"}) is None
