"""Which description wins where subgraphs differ: the most frequent one, and of these the first."""

from collections import Counter
from collections.abc import Iterable


def merge_descriptions(descriptions: Iterable[str | None]) -> str | None:
    counted = Counter(text for text in descriptions if text)
    return counted.most_common(1)[0][0] if counted else None
