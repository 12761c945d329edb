"""simple-inaccessible: an argument that is not public still has its default in the subgraph."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour, Source


def behaviour(data: dict[str, Any]) -> Behaviour:
    def friends(user: Source, type: str) -> Any:
        assert type == "FAMILY"
        return user["friends"]

    return Behaviour(
        records={"User": data["users"]},
        resolvers={
            "age": {"Query.usersInAge": lambda _: data["users"]},
            "friends": {"Query.usersInFriends": lambda _: data["users"], "User.friends": friends, "User.type": lambda _: None},
        },
    )
