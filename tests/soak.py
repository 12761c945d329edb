"""How much of a repetition is done: in the suite as much as shows a fault at once, by `make soak` (`CITYGRAPH_SOAK=1`) all of it.

Whoever scales by this is marked `soak`: that is how `make soak` finds it.
"""

import os
from typing import TypeVar

SOAK = os.environ.get("CITYGRAPH_SOAK") == "1"

Scale = TypeVar("Scale")


def scaled(*, suite: Scale, soak: Scale) -> Scale:
    """What holds in this run."""
    return soak if SOAK else suite
