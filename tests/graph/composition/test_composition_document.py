"""`docs/composition.md` names every error code: those that occur, which are the corpus's, and those that cannot."""

import re

from composition_corpus import FOLDER
from npm_comparison import DOCUMENT

_TEXT = DOCUMENT.read_text(encoding="utf-8")
_CODE = re.compile(r"`([A-Z][A-Z_]+)`")


def _codes(heading: str) -> list[str]:
    """In the first column of the section's table."""
    section = _TEXT.split(f"{heading}\n")[1].split("\n#")[0]
    return [code for line in section.splitlines() if line.startswith("| `") for code in _CODE.findall(line.split(" | ")[0])]


def test_document_when_it_lists_codes_then_they_are_those_of_the_corpus() -> None:
    assert _codes("## Error codes") == sorted(path.stem for path in FOLDER.glob("*.graphql"))


def test_document_when_a_code_cannot_occur_then_the_corpus_does_not_have_it() -> None:
    absent = _codes("### Codes that cannot occur here")

    assert len(absent) == len(set(absent)) == 72
    assert not set(absent) & {path.stem for path in FOLDER.glob("*.graphql")}
