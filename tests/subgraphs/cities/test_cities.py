"""The cities that a tenant sees."""

import pytest

from graph.errors import BadUserInput
from resolvers.cities.commands import ensure_city
from resolvers.stores.engine import Store
from tests.fakes.statements import count_statements
from tests.resolvers.city_objects.drafts import CITY, TENANT
from tests.subgraphs.city_objects.conftest import Ask, ask, ask_cities, city_store

__all__ = ["ask", "ask_cities", "city_store"]


async def test_cities_when_there_are_several_then_the_home_city_comes_first(city_store: Store, ask_cities: Ask) -> None:
    for id, name in (("DE-BERLIN", "Berlin"), ("SE-UMEA", "Umeå")):
        await ensure_city(city_store, tenant=TENANT, id=id, name=name)
    await ensure_city(city_store, tenant="SOMEONE", id="FR-LYON", name="Lyon")

    response = await ask_cities('{ cities { id name country timezone } city { id } lyon: city(id: "FR-LYON") { id } }')

    assert response.errors == []
    assert response.data == {
        "cities": [
            {"id": CITY, "name": "Helsinki", "country": "FI", "timezone": "Europe/Helsinki"},
            {"id": "DE-BERLIN", "name": "Berlin", "country": None, "timezone": None},
            {"id": "SE-UMEA", "name": "Umeå", "country": None, "timezone": None},
        ],
        "city": {"id": CITY},
        "lyon": None,
    }


async def test_entities_when_many_ask_for_cities_then_they_are_one_statement(city_store: Store, ask_cities: Ask) -> None:
    reps = [{"__typename": "City", "id": id} for id in (CITY, "NOWHERE") * 500]

    with count_statements(city_store) as statements:
        response = await ask_cities(
            "query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on City { name } } }", {"reps": reps}
        )

    assert response.data["_entities"] == [{"name": "Helsinki"}, None] * 500
    assert len(statements) == 1


async def test_entities_when_some_are_wrong_then_each_is_null_by_itself(city_store: Store, ask_cities: Ask, ask: Ask) -> None:
    reps = [{"__typename": "City", "id": id} for id in (CITY, 5, None, ["x"], "\0", "a/b", CITY)]
    reps[3:3] = [{"__typename": "City"}, {"__typename": "Town", "id": CITY}]

    known = await ask_cities("query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on City { name } } }", {"reps": reps})
    counted = await ask(
        "query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on City { cityObjectCounts { count } } } }", {"reps": reps}
    )

    assert known.data["_entities"] == [{"name": "Helsinki"}, *[None] * 7, {"name": "Helsinki"}]
    assert counted.data["_entities"] == [{"cityObjectCounts": []}, *[None] * 7, {"cityObjectCounts": []}]
    for answer in (known, counted):
        assert [error["extensions"]["code"] for error in answer.errors] == ["BAD_USER_INPUT"] * 2


async def test_city_when_ensured_again_then_what_is_not_given_stays(city_store: Store, ask_cities: Ask) -> None:
    await ensure_city(city_store, tenant=TENANT, id=CITY, name="Helsingfors")

    response = await ask_cities("{ city { name country } }")

    assert response.data == {"city": {"name": "Helsingfors", "country": "FI"}}


@pytest.mark.parametrize(("id", "timezone"), [("FI/HELSINKI", None), ("", None), ("FI", "Mars/Olympus"), ("FI", "../../etc")])
async def test_city_when_identifier_or_time_zone_is_wrong_then_it_is_refused(sqlite_store: Store, id: str, timezone: str | None) -> None:
    with pytest.raises(BadUserInput):
        await ensure_city(sqlite_store, tenant=TENANT, id=id, name="X", timezone=timezone)
