"""simple-entity-call: one step by a key that is not the identifier."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    return Behaviour(records={"User": data["users"]}, resolvers={"email": {"Query.user": lambda _: data["users"][0]}})
