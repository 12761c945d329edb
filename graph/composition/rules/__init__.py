"""The rules of composition, one a file, in the order in which their errors are reported.

A rule looks at one subgraph (`EACH_SUBGRAPH`), at all of them side by side (`KINDS_AND_LINKS`, then, where types are comparable,
`ACROSS_SUBGRAPHS`), or at the merged supergraph (`MERGED`), and reports to `Findings`. It changes nothing.
"""

from collections.abc import Callable

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.merged import Merged
from graph.composition.rules.authorisation import check_authorisation, check_transitive
from graph.composition.rules.composed import check_compose_directives, check_composed_across
from graph.composition.rules.contexts import check_contexts, check_contextual_everywhere
from graph.composition.rules.cost import check_cost, check_slicing_everywhere
from graph.composition.rules.directive_arguments import check_directive_arguments
from graph.composition.rules.enum_values import check_enums
from graph.composition.rules.external import check_external
from graph.composition.rules.external_base import check_external_bases
from graph.composition.rules.external_collision import check_external_collisions
from graph.composition.rules.field_arguments import check_arguments
from graph.composition.rules.field_sharing import check_field_sharing
from graph.composition.rules.field_types import check_field_types
from graph.composition.rules.idle_types import check_idle_types
from graph.composition.rules.inaccessible import check_inaccessible
from graph.composition.rules.input_fields import check_inputs
from graph.composition.rules.interface_fields import check_interface_fields
from graph.composition.rules.interface_objects import check_entity_interfaces, check_interface_objects
from graph.composition.rules.keys import check_keys
from graph.composition.rules.linked_names import check_linked_names
from graph.composition.rules.override import check_override, check_overrides
from graph.composition.rules.provides import check_provides
from graph.composition.rules.queries import check_queries
from graph.composition.rules.requires import check_requires
from graph.composition.rules.runtime_types import check_runtime_types
from graph.composition.rules.shareable import check_shareable
from graph.composition.rules.subgraph_names import check_names
from graph.composition.rules.type_kinds import check_bases, check_kinds
from graph.composition.subgraph import Subgraph

EACH_SUBGRAPH: tuple[Callable[[Subgraph, Findings], None], ...] = (
    check_keys,
    check_provides,
    check_requires,
    check_external,
    check_external_collisions,
    check_shareable,
    check_override,
    check_interface_objects,
    check_compose_directives,
    check_contexts,
    check_authorisation,
    check_cost,
    check_idle_types,
)
KINDS_AND_LINKS: tuple[Callable[[Gathered, Findings], None], ...] = (
    check_linked_names,
    check_composed_across,
    check_kinds,
    check_bases,
    check_queries,
)
ACROSS_SUBGRAPHS: tuple[Callable[[Gathered, Findings], None], ...] = (
    check_entity_interfaces,
    check_overrides,
    check_external_bases,
    check_field_types,
    check_arguments,
    check_directive_arguments,
    check_inputs,
    check_enums,
    check_field_sharing,
    check_runtime_types,
    check_contextual_everywhere,
    check_slicing_everywhere,
    check_transitive,
)
MERGED: tuple[Callable[[Merged, Gathered, Findings], None], ...] = (
    check_interface_fields,
    check_inaccessible,
)

__all__ = ["ACROSS_SUBGRAPHS", "EACH_SUBGRAPH", "KINDS_AND_LINKS", "MERGED", "check_names"]
