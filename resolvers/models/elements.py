"""Elements: the objects anywhere inside a content that carry a string member `id`, by which annotations hold on to them.

Contents come from many tools, so an identifier that occurs twice is no error: the first object in document order has it.
"""

from collections.abc import Collection

from resolvers.models.records import Element, JSONValue

__all__ = ["find_elements"]


def find_elements(content: JSONValue, wanted: Collection[str]) -> dict[str, Element]:
    """The elements of these identifiers, those that there are. Walks the content once, an object before what is inside it."""
    found: dict[str, Element] = {}
    missing = set(wanted)
    trail: list[str | int] = []

    def visit(value: JSONValue) -> None:
        if isinstance(value, dict):
            identifier = value.get("id")
            if isinstance(identifier, str) and identifier in missing:
                missing.discard(identifier)
                found[identifier] = Element("".join(map(_step, trail)), value)
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            if not missing:
                return
            if isinstance(child, dict | list):
                trail.append(step)
                visit(child)
                trail.pop()

    if isinstance(content, dict | list):
        visit(content)
    return found


def _step(name: str | int) -> str:
    return "/" + str(name).replace("~", "~0").replace("/", "~1")
