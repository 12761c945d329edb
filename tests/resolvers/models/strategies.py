"""Random contents, and random patches that mostly mean something in them."""

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "0", "x/y", "~", ""])
SCALARS = st.sampled_from([0, 1, 1.0, -7, 2**70, 1.5, True, False, None, "", "text", "å"])
CONTENTS = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(NAMES, children, max_size=4),
    max_leaves=12,
)
CONTAINERS = st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=4)


def pointers(content: Any, path: str = "") -> list[str]:
    """Every pointer into the content, its own included."""
    found = [path]
    if isinstance(content, dict):
        for name, value in content.items():
            found += pointers(value, f"{path}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(content, list):
        for place, value in enumerate(content):
            found += pointers(value, f"{path}/{place}")
    return found


@st.composite
def patches(draw: st.DrawFn, content: Any, most: int = 3) -> list[dict[str, Any]]:
    """Operations on what is there or could be; the later ones of a patch may well find it gone."""
    there = pointers(content)
    places = st.sampled_from(there)
    near = st.builds(lambda path, step: f"{path}/{step}", places, st.sampled_from(["a", "b", "0", "1", "-"])) | places
    moves = st.tuples(places, near).filter(lambda pair: not pair[1].startswith(f"{pair[0]}/"))
    operation = st.one_of(
        st.builds(lambda path, value: {"op": "add", "path": path, "value": value}, near, CONTENTS),
        st.builds(lambda path, value: {"op": "replace", "path": path, "value": value}, places, CONTENTS),
        st.builds(lambda path: {"op": "remove", "path": path}, places.filter(bool) if any(there) else near),
        moves.map(lambda pair: {"op": "move", "from": pair[0], "path": pair[1]}),
        st.builds(lambda source, path: {"op": "copy", "from": source, "path": path}, places, near),
        st.builds(lambda path, value: {"op": "test", "path": path, "value": value}, places, SCALARS),
    )
    return draw(st.lists(operation, min_size=1, max_size=most))
