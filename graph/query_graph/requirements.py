"""Field sets as selections: what `@key` and `@requires` name is found and fetched like any field, under keys of the same operation."""

from graph.query_graph.keys import KeyAllocator
from graph.query_graph.selections import Field, Fragment, Selection
from graph.supergraph import Supergraph
from graph.supergraph.field_sets import FieldSet, SelectedField


class RequirementReader:
    """Turns field sets into selections, for one operation."""

    def __init__(self, supergraph: Supergraph, conflicts: frozenset[tuple[str, str]], keys: KeyAllocator) -> None:
        self._types = supergraph.types
        self._conflicts = conflicts
        self._keys = keys
        self._known: dict[tuple[FieldSet, str], tuple[Selection, ...]] = {}

    def selections(self, field_set: FieldSet, type_name: str) -> tuple[Selection, ...]:
        """The field set of a type as selections, fields of the same name merged by whoever walks them."""
        known = self._known.get((field_set, type_name))
        if known is None:
            known = self._known[field_set, type_name] = self._read(field_set, type_name)
        return known

    def _read(self, field_set: FieldSet, type_name: str) -> tuple[Selection, ...]:
        result: list[Selection] = []
        for selection in field_set:
            if isinstance(selection, SelectedField):
                result.extend(self._field(selection, type_name))
                continue
            for on in self._narrow(type_name, selection.type_condition):
                inner = self._read(selection.selections, on)
                fields = tuple(s for s in inner if isinstance(s, Field))
                result.extend((*fields,) if on == type_name else (Fragment(on, fields),) if fields else ())
                result.extend(s for s in inner if isinstance(s, Fragment))
        return tuple(result)

    def _narrow(self, scope: str, on: str) -> list[str]:
        if on not in self._types:
            return []
        inside, wanted = self._types[scope].possible_types, self._types[on].possible_types
        has_fields = not self._types[scope].is_abstract or on in self._types[scope].interfaces or not self._types[on].fields
        if scope == on or (inside <= wanted and has_fields):
            return [scope]
        return [on] if wanted <= inside else sorted(inside & wanted)

    def _field(self, selection: SelectedField, type_name: str) -> list[Selection]:
        info = self._types[type_name]
        field = info.fields.get(selection.name)
        inner: tuple[Selection, ...] = ()
        if field is not None and field.type_name in self._types:
            inner = self._read(selection.selections, field.type_name)
        clash = sorted(t for t in info.possible_types if (t, selection.name) in self._conflicts)
        name, arguments = selection.name, selection.arguments
        if not clash:
            return [Field(name, name, self._keys.key(name, name, arguments), arguments, selections=inner)]
        fields = {t: Field(name, name, self._keys.key(name, name, arguments, t), arguments, selections=inner) for t in clash}
        return [fields[type_name]] if not info.is_abstract else [Fragment(t, (f,)) for t, f in fields.items()]
