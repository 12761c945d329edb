"""fed1-external-extends: federation 1, where an extension marks even its key `@external`."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    users = data["users"]
    return Behaviour(
        records={"User": users},
        resolvers={
            "a": {"Query.randomUser": lambda _: users[0], "Query.providedRandomUser": lambda _: users[0]},
            "b": {"Query.userById": lambda _, id=None: next((user for user in users if user["id"] == id), None)},
        },
    )
