"""Elements: the objects anywhere inside a content that carry a string member `id`, by which annotations hold on to them.

Contents come from many tools, so an identifier that occurs twice is no error: the first object in document order has it.
"""

from collections.abc import Collection, Iterator

from resolvers.models.records import Element, JSONValue

__all__ = ["find_elements"]


def find_elements(content: JSONValue, wanted: Collection[str]) -> dict[str, Element]:
    """The elements of these identifiers, those that there are. Walks the content once."""
    found: dict[str, Element] = {}
    missing = set(wanted)
    for path, value in _objects(content):
        identifier = value.get("id")
        if isinstance(identifier, str) and identifier in missing:
            missing.discard(identifier)
            found[identifier] = Element("".join(path), value)
            if not missing:
                break
    return found


def _objects(content: JSONValue) -> Iterator[tuple[tuple[str, ...], dict[str, JSONValue]]]:
    """Every object with the steps of its pointer, in document order, an object before those inside it."""
    waiting: list[tuple[tuple[str, ...], JSONValue]] = [((), content)] if isinstance(content, dict | list) else []
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            yield path, value
            children = [(_step(name), child) for name, child in value.items()]
        else:
            children = [(f"/{index}", child) for index, child in enumerate(value)]
        waiting.extend(((*path, step), child) for step, child in reversed(children) if isinstance(child, dict | list))


def _step(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
