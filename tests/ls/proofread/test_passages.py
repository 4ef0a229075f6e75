"""What is read as English."""

import pytest

from dgemma_ls.proofread.fixes import Knowledge, decide, examine
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


def olds(text: str, language_id: str = "markdown") -> list[str]:
    return [fix.old for fix in decide(examine(snapshot(text, language_id), Knowledge.load()))]


@pytest.mark.parametrize("n", [1, 8, 40, 400])
def test_misspellings_are_found_in_each_of_many_lines_that_are_alike(n: int) -> None:
    comment = "".join(f"# You recieve message {i}, wich is there.\n" for i in range(n))
    assert olds(comment + "x = 1\n", "python") == ["recieve", "wich"] * n
    prose = "".join(f"You recieve message {i}, wich is there.\n\n" for i in range(n))
    assert olds(prose) == ["recieve", "wich"] * n


def test_english_with_many_different_mistakes_is_read() -> None:
    lines = (
        "The servre sends a messsage to the clinet when it is reday.",
        "If the connnection is closd by the othre side, it is opend agian.",
        "You can chagne the nubmer of the trheads in the setings of it.",
        "All of the reslts are storred in the folder that you have choosen.",
    )
    assert len(olds("\n\n".join(lines))) >= 12
    assert len(olds("".join(f"# {line}\n" for line in lines), "python")) >= 12


def test_a_word_that_is_written_again_and_again_is_a_name_unless_it_is_a_known_mistake() -> None:
    lines = "The frobnicatr is there, and you can recieve from the frobnicatr as well.\n\n" * 9
    assert olds(lines) == ["recieve"] * 9


def test_english_with_mistakes_that_no_list_has_is_read() -> None:
    lines = (
        "The servqer sends a mesqsage to the cliqent when it is reaqdy for it.",
        "If the conneqction is cloqsed by the otqher side, it is opeqned by us.",
        "You can chaqnge the nuqmber of the threqads in the settqings of it.",
        "All of the resuqlts are stoqred in the folqder that you have choqsen.",
    )
    text = "\n\n".join(lines)
    words = {word for word in text.replace(",", " ").replace(".", " ").split() if "q" in word}
    assert not Knowledge.load().curated.corrections(words)
    assert n_passages(text) == 4
