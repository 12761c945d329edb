"""override-with-requires: a field that moved, from a subgraph that still computes from it."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    first, second, third = users = data["users"]
    return Behaviour(
        records={"User": users},
        resolvers={
            "a": {"Query.userInA": lambda _: first, "User.aName": lambda user: f"a__{user.inputs['name']}"},
            "b": {"Query.userInB": lambda _: second},
            "c": {"Query.userInC": lambda _: third, "User.cName": lambda user: f"c__{user.inputs['name']}"},
        },
    )
