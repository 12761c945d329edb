"""A whole city answers alike on both stores."""

from tests.fakes.city import CITY, City


async def test_city_when_asked_for_itself_then_it_answers_on_either_store(city: City) -> None:
    answer = await city.ask("{ city { id name country cityObjectCounts { type count } } }")

    assert answer == {"city": {"id": CITY, "name": "Helsinki", "country": "FI", "cityObjectCounts": []}}
