"""Generates the functions that project the response tree: one for each selection set and concrete type, one for each list.

A projecting function takes an object of the tree, its path and the run (`Completion`), and returns the client's object, or None where
a non-null field of it is null. Right values pass in one expression without a call; everything else goes to `completion`. Functions for
the possible types of an abstract position are written when an object of that type first arrives: a selection on an interface
of many types costs what its answers use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    is_abstract_type,
)

from graph.executor.faults import FAILED
from graph.executor.projection import completion
from graph.executor.projection.completion import Bubble, Completion, Hidden, LinkedPath, Place
from graph.executor.projection.deferred import deferred_fields
from graph.executor.projection.leaves import leaf_check
from graph.executor.projection.selection import ALWAYS, Placed, Scope, Slot, When, select
from graph.executor.shape import TYPENAME, JSONObject
from graph.executor.source import Source
from graph.planner.normalize.operation import Condition, Field
from graph.supergraph.demands import NOTHING_DENIED, Denied

Project = Callable[[JSONObject, LinkedPath, Completion], JSONObject | None]
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
INTROSPECTION: Final = frozenset({"__schema", "__type"})


def introspection_key(response_key: str) -> str:
    """Where the tree holds the answer to an introspection field; no subgraph's key has a colon."""
    return f"__introspection:{response_key}"


@dataclass(frozen=True, slots=True)
class _Pending:
    """A function that has its name already and still lacks its text. With a `deferral`, it projects the fields of that one alone."""

    name: str
    typename: str
    scope: Scope
    deferral: Condition | None = None


class ProjectionWriter:
    """Writes the functions of one operation; keeps them, so that equal selections of a type share one."""

    def __init__(self, schema: GraphQLSchema, conditions: Sequence[Condition], hidden: Hidden, denied: Denied = NOTHING_DENIED) -> None:
        self._schema = schema
        self._hidden = hidden
        self._denied = denied
        self._numbers = {condition: number for number, condition in enumerate(conditions)}
        self._functions: dict[_Same, str] = {}
        self._dispatches: dict[_Same, str] = {}
        self._pending: list[_Pending] = []
        self._source = Source(
            {
                "FAILED": FAILED,
                "Bubble": Bubble,
                "leaf": completion.leaf,
                "required_leaf": completion.required_leaf,
                "wrong_shape": completion.wrong_shape,
                "required_shape": completion.required_shape,
                "refused": completion.refused,
                "required_refused": completion.required_refused,
            }
        )

    def projection(self, typename: str, scope: Scope) -> Project:
        """The function for objects of a concrete type."""
        name = self._object(typename, scope)
        while self._pending:
            self._write_object(self._pending.pop())
        self._source.define()
        return self._source.function(name)

    def _object(self, typename: str, scope: Scope) -> str:
        same = _same(typename, scope)
        name = self._functions.get(same)
        if name is None:
            name = self._functions[same] = self._source.constant(None)
            self._pending.append(_Pending(name, typename, scope))
        return name

    def _write_object(self, pending: _Pending) -> None:
        placed = select(pending.scope, self._applies(pending.typename), pending.deferral)
        values = [self._value(pending.typename, one.slot) for one in placed]
        later = self._deferred(pending, placed)
        source = self._source
        with source.block(f"def {pending.name}(o, p, e)"):
            with source.block("try"):
                self._write_fields(placed, values, later)
            with source.block("except Bubble"):
                source.line("return None")

    def _deferred(self, pending: _Pending, placed: list[Placed]) -> str | None:
        """The constant that says what of the object is deferred."""
        if pending.deferral is not None:
            return None

        def name(deferral: Condition) -> str:
            function = self._source.constant(None)
            self._pending.append(_Pending(function, pending.typename, pending.scope, deferral))
            return function

        found = deferred_fields(placed, name, self._source.names)
        return self._source.constant(found) if found else None

    def _write_fields(self, placed: list[Placed], values: list[str], later: str | None) -> None:
        """A dictionary of the fields that are always there; from the first conditional one on, statements in order."""
        source = self._source
        items = [f"{one.slot.response_key!r}: {value}" for one, value in zip(placed, values, strict=True)]
        always = next((n for n, one in enumerate(placed) if one.when != ALWAYS), len(placed))
        display = "{" + ", ".join(items[:always]) + "}"
        if always == len(placed) and later is None:
            source.line(f"return {display}")
            return
        source.line(f"r = {display}")
        for one, value in zip(placed[always:], values[always:], strict=True):
            key = repr(one.slot.response_key)
            tests = [f"e.on[{self._numbers[condition]}]" for condition in sorted(one.when)]
            if len(one.slot.occurrences) > 1:
                tests.append(f"{key} not in r")
            with source.block(f"if {' and '.join(tests) or 'True'}"):
                source.line(f"r[{key}] = {value}")
        if later is not None:
            source.line(f"if e.later is not None: e.later.append((o, p, {later}))")
        source.line("return r")

    def _value(self, typename: str, slot: Slot) -> str:
        one = slot.field
        if one.name == TYPENAME:
            return repr(typename)
        if one.name in INTROSPECTION:
            return f"o.get({introspection_key(slot.response_key)!r})"
        owner = self._schema.type_map[typename]
        assert isinstance(owner, GraphQLObjectType | GraphQLInterfaceType)
        coordinate = f"{typename}.{one.name}"
        of_type = owner.fields[one.name].type
        if refusal := self._denied.fields.get((typename, one.name)):
            refused = "required_refused" if isinstance(of_type, GraphQLNonNull) else "refused"
            return f"{refused}((p, {slot.response_key!r}), e, {self._source.constant(refusal)})"
        return self._expression(of_type, f"(v := o.get({one.key!r}))", "v", repr(slot.response_key), coordinate, slot)

    def _expression(self, of_type: GraphQLOutputType, read: str, v: str, step: str, coordinate: str, slot: Slot) -> str:
        """The projected value. `read` evaluates the raw one and binds it to the name `v`; `step` is its last path key."""
        required = isinstance(of_type, GraphQLNonNull)
        nullable: Any = of_type.of_type if isinstance(of_type, GraphQLNonNull) else of_type
        if isinstance(nullable, GraphQLScalarType | GraphQLEnumType):
            return self._leaf(nullable, required, read, v, step, coordinate)
        kind: type
        if isinstance(nullable, GraphQLList):
            kind, project, expected = list, self._list(nullable, coordinate, slot), "a list"
        else:
            kind, project, expected = dict, self._composite(nullable, slot), f"an object of type {nullable.name}"
        place = self._source.constant(Place(coordinate, expected, kind))
        path = f"(p, {step})"
        if required:
            return (
                f"x if type({read}) is {kind.__name__} and (x := {project}({v}, {path}, e)) is not None"
                f" else required_shape({v}, {path}, e, {place})"
            )
        return (
            f"{project}({v}, {path}, e) if type({read}) is {kind.__name__}"
            f" else None if {v} is None else wrong_shape({v}, {path}, e, {place})"
        )

    def _leaf(self, of_type: GraphQLScalarType | GraphQLEnumType, required: bool, read: str, v: str, step: str, coordinate: str) -> str:
        check = leaf_check(of_type, self._hidden)
        place = self._source.constant(Place(coordinate, check.expected, convert=check.convert))
        if check.right is None:
            right = f"{read} is not FAILED" + (f" and {v} is not None" if required else "")
        else:
            constant = self._source.constant(check.constant) if "{c}" in check.right else ""
            first, rest = check.right.split("{v}", 1)
            right = first + read + rest.format(v=v, c=constant) + ("" if required else f" or {v} is None")
        slow = "required_leaf" if required else "leaf"
        return f"{v} if {right} else {slow}({v}, (p, {step}), e, {place})"

    def _list(self, of_type: GraphQLList[Any], coordinate: str, slot: Slot) -> str:
        """A function over a list; its items' own lists get functions of their own."""
        item = of_type.of_type
        expression = self._expression(item, "v", "v", "i", f"an item of {coordinate}", slot)
        source = self._source
        name = source.constant(None)
        with source.block(f"def {name}(l, p, e)"):
            types = self._quick_types(item)
            if types is not None:
                source.line(f"if {source.constant(types)}.issuperset(map(type, l)): return l")
            with source.block("try"):
                source.line(f"return [{expression} for i, v in enumerate(l)]")
            with source.block("except Bubble"):
                source.line("return None")
        return name

    def _quick_types(self, item: GraphQLOutputType) -> frozenset[type] | None:
        named: Any = item.of_type if isinstance(item, GraphQLNonNull) else item
        if not isinstance(named, GraphQLScalarType | GraphQLEnumType):
            return None
        types = leaf_check(named, self._hidden).types
        if types is None or isinstance(item, GraphQLNonNull):
            return types
        return types | {type(None)}

    def _composite(self, of_type: Composite, slot: Slot) -> str:
        scope = slot.below()
        if not is_abstract_type(of_type):
            return self._object(of_type.name, scope)
        same = _same(of_type.name, scope)
        name = self._dispatches.get(same)
        if name is None:
            name = self._dispatches[same] = self._source.constant(self._dispatch(of_type, scope))
        return name

    def _dispatch(self, of_type: GraphQLInterfaceType | GraphQLUnionType, scope: Scope) -> Project:
        """Projects objects of an abstract type by their `__typename`."""
        table: dict[str, Project] = {}
        possible = {one.name for one in self._schema.get_possible_types(of_type)}

        def dispatch(o: JSONObject, p: LinkedPath, e: Completion) -> JSONObject | None:
            try:
                project = table[o[TYPENAME]]
            except (KeyError, TypeError):
                typename = o.get(TYPENAME)
                if not isinstance(typename, str) or typename not in possible:
                    return unknown(o, p, e)
                project = table[typename] = self._refusing(typename) or self.projection(typename, scope)
            return project(o, p, e)

        def unknown(o: JSONObject, p: LinkedPath, e: Completion) -> JSONObject | None:
            typename = o.get(TYPENAME)
            if typename is FAILED:
                return None
            if self._is_interface_of(of_type, typename) and self._needs_no_type(of_type, scope, e.on):
                return self.projection(of_type.name, scope)(o, p, e)
            if not e.hidden.hides(typename):
                e.report(f"__typename should name a type of {of_type.name}, and is {completion.describe(typename)}", p)
            return None

        return dispatch

    def _refusing(self, typename: str) -> Project | None:
        """For objects of a type that the caller may not see."""
        refusal = self._denied.types.get(typename)
        if refusal is None:
            return None

        def refuse(o: JSONObject, p: LinkedPath, e: Completion) -> JSONObject | None:
            completion.refused(p, e, refusal)
            return None

        return refuse

    def _is_interface_of(self, of_type: GraphQLInterfaceType | GraphQLUnionType, typename: object) -> bool:
        """Whether the concrete type is unknown: not told, or told by a subgraph that knows an interface as an object type."""
        told = self._schema.type_map.get(typename) if isinstance(typename, str) else None
        if not isinstance(told, GraphQLInterfaceType):
            return typename is None
        return told is of_type or self._schema.is_sub_type(of_type, told)

    def _needs_no_type(self, of_type: GraphQLInterfaceType | GraphQLUnionType, scope: Scope, on: tuple[bool, ...]) -> bool:
        """Whether no selection set that counts, the variables being what they are, depends on the object's type."""
        if isinstance(of_type, GraphQLUnionType):
            return False
        held = (selections for selections, when in scope if all(on[self._numbers[condition]] for condition in when))
        return all(
            isinstance(one, Field) and one.name != TYPENAME and not self._denies_some(of_type, one.name)
            for selections in held
            for one in selections
        )

    def _denies_some(self, of_type: GraphQLInterfaceType, field: str) -> bool:
        """Whether the caller may see the field of some objects only; it is not shown of an object whose type is unknown."""
        denied = self._denied
        return bool(denied) and any(
            one.name in denied.types or (one.name, field) in denied.fields for one in self._schema.get_possible_types(of_type)
        )

    def _applies(self, typename: str) -> Callable[[str], bool]:
        def applies(condition: str) -> bool:
            if condition == typename:
                return True
            abstract = self._schema.type_map.get(condition)
            concrete = self._schema.type_map[typename]
            return is_abstract_type(abstract) and self._schema.is_sub_type(abstract, concrete)

        return applies


_Same = tuple[str, tuple[tuple[int, When], ...]]


def _same(typename: str, scope: Scope) -> _Same:
    """Equal for equal types and the same selection sets; the operation keeps them alive, so their `id` names them."""
    return typename, tuple((id(selections), when) for selections, when in scope)
