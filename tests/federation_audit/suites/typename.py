"""typename: the type's own name through a union, an interface and an interface object."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    users = data["users"]
    return Behaviour(
        records={"User": users, "Admin": users},
        resolvers={
            "a": {
                "Query.union": lambda _: {"__typename": "Oven", "id": "1"},
                "Query.interface": lambda _: {"__typename": "Toaster", "id": "2"},
            },
            "b": {"Query.users": lambda _: users},
        },
    )
