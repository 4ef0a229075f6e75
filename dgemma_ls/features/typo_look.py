"""Looks through documents for typos as jobs of the engine thread, each of a few steps.

To import it takes long, as all that is known of English does.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from dgemma_engine.types import CancelToken
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.typo_cache import ParagraphCache
from dgemma_ls.features.typo_check import Check, check_steps, run_slice
from dgemma_ls.features.typos import TypoOptions
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.proofread.types import Fix
from dgemma_ls.types import Snapshot


class TypoReader:
    """What looks share: what is known of English, and what was found in paragraphs before."""

    def __init__(self) -> None:
        """Read the tables of English; a second of work where nobody has read them yet."""
        self.knowledge = _load_knowledge()
        self.cache = ParagraphCache()

    def look(self, snapshot: Snapshot, words: Callable[[], frozenset[str]]) -> "TypoLook":
        """Begin to look through a document.

        Args:
            snapshot: the document.
            words: gives those that are right in it; called in the first job, as it reads files.
        """
        return TypoLook(snapshot, words, self)


class TypoLook:
    """A look through a document: its steps are made in the first job, gone on with in the others.

    Attributes:
        check: how far it has come.
    """

    def __init__(
        self, snapshot: Snapshot, words: Callable[[], frozenset[str]], reader: TypoReader
    ) -> None:
        self.check = Check(snapshot=snapshot)
        self._words, self._reader = words, reader
        self._steps: Iterator[None] | None = None

    @property
    def done(self) -> bool:
        """Whether it is through."""
        return self.check.done

    @property
    def n_new(self) -> int:
        """How many paragraphs were not known already."""
        return self.check.n_checked

    def run(self, engine: Infiller, token: CancelToken) -> bool:
        """Do some of the work and say whether that was the rest of it."""
        if self._steps is None:
            options, reader = TypoOptions(words=self._words()), self._reader
            self._steps = check_steps(self.check, reader.knowledge, options, reader.cache, engine)
        return token.stop_reason() is not None or run_slice(self._steps)

    def found(self, older: Sequence[Fix]) -> Sequence[Fix]:
        """Give what was found so far, and behind that what was known before."""
        check = self.check
        if check.done:
            return check.fixes
        return check.fixes + [fix for fix in older if fix.span.start >= check.frontier]


@cache
def _load_knowledge() -> Knowledge:
    knowledge = Knowledge.load()
    # Hundreds of thousands of words that stay: the collector took 80 ms to see that, in any thread.
    gc.freeze()
    return knowledge
