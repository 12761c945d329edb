"""simple-override: a field that moved while its old subgraph still has it in its schema."""

from typing import Any

from tests.federation_audit.subgraph import Behaviour


def behaviour(data: dict[str, Any]) -> Behaviour:
    first, second = posts = data["posts"]
    return Behaviour(
        records={"Post": posts},
        resolvers={
            "*": {"Query.feed": lambda _: posts},
            "a": {"Query.aFeed": lambda _: [second]},
            "b": {"Query.bFeed": lambda _: [first]},
        },
    )
