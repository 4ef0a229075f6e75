"""A look through a document for typos as jobs: what is known while it is under way."""

from dgemma_engine.types import CancelToken
from dgemma_ls.features.typo_look import TypoReader
from dgemma_ls.types import Snapshot
from tests.ls.sessions import BlockingEngine

SENTENCE = "You should recieve it when it is ready.\n\n"
READER = TypoReader()


def test_of_what_was_known_before_only_what_is_still_to_be_checked_is_known() -> None:
    snapshot = Snapshot(uri="file:///a.md", version=1, language_id="markdown", text=SENTENCE * 40)
    earlier = READER.look(snapshot, frozenset)
    while not earlier.run(BlockingEngine(), CancelToken()):
        pass
    older = earlier.found(())
    assert len(older) == 40
    assert earlier.n_new > 0
    look = READER.look(snapshot, lambda: frozenset({"recieve"}))
    assert look.found(older) == older
    look.check.frontier = len(SENTENCE) * 30
    assert look.found(older) == older[30:]
    while not look.run(BlockingEngine(), CancelToken()):
        pass
    assert look.done
    assert look.found(older) == []


def test_the_next_look_knows_what_the_last_one_found() -> None:
    snapshot = Snapshot(uri="file:///b.md", version=1, language_id="markdown", text=SENTENCE)
    looks = [READER.look(snapshot, frozenset) for _ in range(2)]
    for look in looks:
        while not look.run(BlockingEngine(), CancelToken()):
            pass
    assert looks[1].n_new == 0
    assert looks[1].found(()) == looks[0].found(()) != []
