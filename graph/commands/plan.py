"""`citygraph plan`: how the planner would have an operation answered."""

from collections.abc import Sequence
from pathlib import Path

from graphql import GraphQLError, parse, validate

from graph import json_codec
from graph.commands.terminal import fail, read_text
from graph.config import ConfigError
from graph.errors import BadRequest
from graph.planner import Planner
from graph.planner.explain import plan_to_json
from graph.planner.labels import override_labels
from graph.planner.stages import Stage, describe
from graph.server.preparation import chosen_operation
from graph.supergraph import Supergraph, SupergraphError, read_supergraph


def run(supergraph_file: Path, query_file: Path, operation_name: str | None, stage: Stage, labels: Sequence[str], *, as_json: bool) -> None:
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
    planning = Planner(supergraph).planning(document, operation_name, _active(labels, supergraph))
    if as_json:
        print(json_codec.dumps(plan_to_json(planning.plan())).decode())
    else:
        print(describe(planning, stage), end="")


def _active(labels: Sequence[str], supergraph: Supergraph) -> frozenset[str]:
    known = override_labels(supergraph)
    if unknown := sorted(set(labels) - known):
        raise ConfigError(f"--label: no `@override` has the label {unknown[0]!r}; the labels are: {', '.join(sorted(known)) or 'none'}")
    return frozenset(labels)
