"""keys-mashup: many keys, few of them resolvable, the one that is needed nested."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    records = data["data"]
    return Behaviour(
        records={"A": list(records["a"].values()), "B": list(records["b"].values())},
        resolvers={
            "b": {
                "Query.b": lambda _: records["b"]["100"],
                "A.nameInB": lambda a: f"b.a.nameInB {a.inputs['name']}",
            }
        },
    )
