"""The same three directives have a field set, and Apollo has codes of its own for each of them: this maps one to the other."""

from collections.abc import Mapping

from graph.composition.field_set_problems import Trouble, field_set_problems
from graph.composition.findings import Findings
from graph.composition.subgraph import Applied, Subgraph

Codes = Mapping[Trouble, str]


def report_field_set(subgraph: Subgraph, coordinate: str, type_name: str, applied: Applied, codes: Codes, findings: Findings) -> bool:
    """Reports what is wrong and has a code; tells whether nothing was."""
    right = True
    for problem in field_set_problems(subgraph, type_name, applied.arguments.get("fields")):
        code = codes.get(problem.trouble)
        if code is None:
            continue
        right = False
        text = applied.string("fields")
        shown = f"@{applied.name}" if text is None else f'@{applied.name}(fields: "{" ".join(text.split())}")'
        findings.error(code, f'[{subgraph.name}] On "{coordinate}", for {shown}: {problem.message}.', [subgraph.place(applied.node)])
    return right
