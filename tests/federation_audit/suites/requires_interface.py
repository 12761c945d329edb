"""requires-interface: requirements through an interface; what holds for one of its implementations only may be absent."""

from typing import Any

from tests.federation_audit.selections import Record
from tests.federation_audit.subgraph import Behaviour, Source


def behaviour(data: dict[str, Any]) -> Behaviour:
    addresses = data["addresses"]
    first, second = users = data["users"]

    def of_address(user: Source, name: str) -> str | None:
        address: Record | None = user.inputs["address"]
        if address is None or "id" not in address:
            return None
        found: str = next(one[name] for one in addresses if one["id"] == address["id"])
        return found

    return Behaviour(
        records={
            "Address": addresses,
            "HomeAddress": [address for address in addresses if address["__typename"] == "HomeAddress"],
            "WorkAddress": [address for address in addresses if address["__typename"] == "WorkAddress"],
            "User": users,
        },
        resolvers={
            "a": {
                "Query.a": lambda _: first,
                "User.city": lambda user: of_address(user, "city"),
                "User.country": lambda user: of_address(user, "country"),
            },
            "b": {"Query.b": lambda _: second},
        },
    )
