"""simple-interface-object: an interface that two other subgraphs know as an object, one of them with an answer of its own."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    users = [{"__typename": "User", **user} for user in data["users"]]
    accounts = data["accounts"]
    return Behaviour(
        records={
            "User": users,
            "NodeWithName": users,
            "Account": accounts,
            "Admin": [account for account in accounts if account["__typename"] == "Admin"],
            "Regular": [account for account in accounts if account["__typename"] == "Regular"],
        },
        resolvers={
            "a": {"Query.users": lambda _: users},
            "b": {"Query.anotherUsers": lambda _: users, "Query.accounts": lambda _: accounts},
            "c": {"Account.isActive": lambda _: False},
        },
    )
