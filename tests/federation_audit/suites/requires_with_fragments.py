"""requires-with-fragments: requirements in fragments on nested interfaces, over a type that is not public."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    first, second = entities = data["entities"]
    return Behaviour(
        records={"Entity": entities, "Foo": [*data["bazs"], *data["quxs"]]},
        resolvers={
            "a": {"Query.a": lambda _: second},
            "b": {
                "Query.b": lambda _: first,
                "Query.bb": lambda _: second,
                "Entity.requirer": lambda entity: f"{entity.inputs['data']['foo']}_requirer",
                "Entity.requirer2": lambda entity: f"{entity.inputs['data']['foo']}_requirer2",
            },
        },
    )
