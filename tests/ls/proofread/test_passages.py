"""What is read as English."""

from dgemma_ls.proofread.fixes import Knowledge, examine
from tests.ls.proofread.support import snapshot

DUTCH = "\n\n".join(
    [
        "Automatisch is de pagina in concept opgeslagen voor deze website.",
        "De gebruiker kan hier een nieuwe afbeelding kiezen voor het artikel.",
        "Er is iets fout gegaan bij het opslaan van de wijzigingen in de boom.",
        "Deze collectie is privé, alleen ingelogde gebruikers kunnen haar zien.",
    ]
)


def n_passages(text: str) -> int:
    return len(examine(snapshot(text), Knowledge.load()).document.passages)


def test_documents_in_another_language_are_not_read() -> None:
    assert n_passages(DUTCH) == 0


def test_english_with_names_that_no_lexicon_has_is_read() -> None:
    text = "The frobnicator asks the quuxifier for the value that the server reads. " * 4
    assert n_passages(text) == 1


def test_words_are_counted_whatever_their_case() -> None:
    counts = examine(snapshot("The server is the server. Server is up."), Knowledge.load())
    assert counts.document.counts["server"] == 3
