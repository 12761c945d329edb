"""Arguments of directives that clients may use: the rules for fields' arguments hold for them too."""

from graph.composition.executable import executable_directives, is_for_clients
from graph.composition.findings import Findings
from graph.composition.gathered import Gathered, InputSource
from graph.composition.rules.field_arguments import check_argument


def check_directive_arguments(gathered: Gathered, findings: Findings) -> None:
    """FIELD_ARGUMENT_TYPE_MISMATCH, FIELD_ARGUMENT_DEFAULT_MISMATCH, REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH."""
    for name, sources in executable_directives(gathered):
        if not is_for_clients(gathered, sources):
            continue
        for argument in dict.fromkeys(argument for source in sources for argument in source.directive.arguments):
            having = [source for source in sources if argument in source.directive.arguments]
            found = [InputSource(source.member, source.directive.arguments[argument]) for source in having]
            missing = [source.member.name for source in sources if argument not in source.directive.arguments]
            check_argument(f"@{name}({argument}:)", found, missing, findings)
