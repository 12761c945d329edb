"""Hints: what composes and is probably not meant, under the codes that Apollo publishes.

Most stand here, by what they are about; those that a rule comes upon anyway (arguments, input fields, runtime types) are given by the
rule. Hints are looked for where there are no errors.
"""

from collections.abc import Callable

from graph.composition.findings import Findings
from graph.composition.gathered import Gathered
from graph.composition.hints.applied import hint_applied
from graph.composition.hints.definitions import hint_definitions
from graph.composition.hints.descriptions import hint_descriptions
from graph.composition.hints.fields import hint_fields
from graph.composition.hints.overrides import hint_overrides
from graph.composition.hints.types import hint_types

HINTS: tuple[Callable[[Gathered, Findings], None], ...] = (
    hint_types,
    hint_fields,
    hint_overrides,
    hint_applied,
    hint_definitions,
    hint_descriptions,
)

__all__ = ["HINTS"]
