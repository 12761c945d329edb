"""`citygraph plan`: how the planner would have an operation answered."""

from pathlib import Path

from graphql import GraphQLError, parse, validate

from graph import json_codec
from graph.commands.terminal import fail, read_text
from graph.config import ConfigError
from graph.errors import BadRequest
from graph.planner import Planner
from graph.planner.explain import plan_to_json, plan_to_text
from graph.server.pipeline import chosen_operation
from graph.supergraph import SupergraphError, read_supergraph


def run(supergraph_file: Path, query_file: Path, operation_name: str | None, *, as_json: bool) -> None:
    try:
        supergraph = read_supergraph(read_text(supergraph_file, "supergraph"))
    except SupergraphError as error:
        raise ConfigError(f"{supergraph_file} is no supergraph: {error}") from None
    try:
        document = parse(read_text(query_file, "query"), allow_empty_selection_sets=False)
    except GraphQLError as error:
        fail(f"{query_file}: {error.message}")
    if errors := validate(supergraph.api_schema, document, allow_empty_selection_sets=False):
        fail("\n".join(f"{query_file}: {error.message}" for error in errors))
    try:
        chosen_operation(document, operation_name)
    except BadRequest as error:
        raise ConfigError(f"{query_file}: {error.detail.replace('`operationName`', '--operation-name')}") from None
    plan = Planner(supergraph).plan(document, operation_name)
    print(json_codec.dumps(plan_to_json(plan)).decode() if as_json else plan_to_text(plan).rstrip("\n"))
