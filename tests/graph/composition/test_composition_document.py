"""`docs/composition.md` names every error code: those that occur, which are the corpus's, and those that cannot."""

from composition_corpus import FOLDER
from npm_comparison import codes_of


def test_document_when_it_lists_codes_then_they_are_those_of_the_corpus() -> None:
    assert codes_of("## Error codes") == sorted(path.stem for path in FOLDER.glob("*.graphql"))


def test_document_when_a_code_cannot_occur_then_the_corpus_does_not_have_it() -> None:
    absent = codes_of("### Codes that cannot occur here")

    assert len(absent) == len(set(absent)) == 72
    assert not set(absent) & {path.stem for path in FOLDER.glob("*.graphql")}
