"""enum-intersection: one subgraph does not know a value that the other hides; the first fails over it, the second answers null."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    users = data["users"]
    return Behaviour(
        records={"User": users},
        resolvers={
            "a": {"Query.users": lambda _: users},
            "b": {
                "Query.usersB": lambda _: users,
                "Query.usersByType": lambda _, type: [user for user in users if user["type"] == type],
            },
        },
    )
