"""What a contract hides: by tags first, then what is left empty, then what nothing leads to."""

from collections.abc import Iterator

from graph.supergraph.api_schema import named_type
from graph.supergraph.contract_elements import Elements


def hidden_elements(elements: Elements, include: frozenset[str], exclude: frozenset[str]) -> frozenset[str]:
    """Coordinates; those inside a hidden type need not be among them."""
    hidden = set(_by_tags(elements, include, exclude))
    while emptied := set(_emptied(elements, hidden)):
        hidden |= emptied
    reached = _reachable(elements, hidden)
    return frozenset(
        hidden | {name for name in elements.types if name not in reached and not elements.tags(elements.types[name]) & include}
    )


def _by_tags(elements: Elements, include: frozenset[str], exclude: frozenset[str]) -> Iterator[str]:
    """A tag on an object or interface type counts for its fields; only fields and unions must be included, the rest comes with them."""
    for name, node in elements.types.items():
        own = elements.tags(node)
        if elements.is_inaccessible(node) or own & exclude or (include and elements.is_union(name) and not own & include):
            yield name
        inherited = own if elements.is_output(name) else frozenset[str]()
        for coordinate, child in elements.children(name):
            tags = elements.tags(child) | inherited
            left_out = bool(include) and elements.is_output(name) and not tags & include
            if elements.is_inaccessible(child) or tags & exclude or left_out:
                yield coordinate
            for inner, argument in elements.arguments(coordinate, child):
                if elements.is_inaccessible(argument) or elements.tags(argument) & exclude:
                    yield inner


def _emptied(elements: Elements, hidden: set[str]) -> Iterator[str]:
    """Types and unions of which nothing is left, and interfaces' fields of hidden types."""
    for name in elements.types:
        if name in hidden:
            continue
        children = [coordinate for coordinate, _ in elements.children(name)] or elements.members(name)
        if children and all(child in hidden for child in children):
            yield name
        elif elements.is_interface(name):
            for coordinate, field in elements.children(name):
                if coordinate not in hidden and named_type(field.type) in hidden:
                    yield coordinate


def _reachable(elements: Elements, hidden: set[str]) -> set[str]:
    """Types that clients can come to, or meet in what they may write."""
    implementations: dict[str, list[str]] = {}
    for name in elements.types:
        for interface in elements.interfaces(name):
            implementations.setdefault(interface, []).append(name)
    todo = [*elements.roots.values(), *(named_type(a.type) for d in elements.directives for a in d.arguments or ())]
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        if name in hidden or name in reached or name not in elements.types:
            continue
        reached.add(name)
        todo += (*elements.interfaces(name), *elements.members(name), *implementations.get(name, ()))
        for coordinate, child in elements.children(name):
            if coordinate in hidden or not hasattr(child, "type"):
                continue
            todo.append(named_type(child.type))
            todo += (named_type(a.type) for inner, a in elements.arguments(coordinate, child) if inner not in hidden)
    return reached
