"""input-object-intersection: an input field that one subgraph alone knows is not the client's to use."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    def users(_: object, filter: dict[str, Any]) -> Any:
        assert filter == {"first": 1}
        return data["users"]

    return Behaviour(records={"User": data["users"]}, resolvers={"a": {"Query.usersInA": users}, "b": {"Query.usersInB": users}})
