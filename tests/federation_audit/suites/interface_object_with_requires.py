"""interface-object-with-requires: an interface object that computes from a field of the interface."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    users = [{"__typename": "User", **user} for user in data["users"]]
    return Behaviour(
        records={"User": users, "NodeWithName": users},
        resolvers={
            "a": {"Query.users": lambda _: users},
            "b": {
                "Query.anotherUsers": lambda _: users,
                "NodeWithName.username": lambda node: node.inputs["name"].replace("-name", "-username"),
            },
        },
    )
