"""A program's surprising words, found stretch by stretch in small steps.

What was found in a stretch is remembered by its content, so that after a change only what changed
is read again. No thread and no protocol in here.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from dgemma_engine.types import CancelToken, Span
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.surprise import Doubt, Question, Reader, Window, ask, doubt_steps
from dgemma_ls.proofread.steps import Steps
from dgemma_ls.types import Snapshot

MOST = 20
"""Hints of one document."""
_LEAST_SCORE = -3.5  # of a hint; four of a file of 3,000 characters, on selection data
_LEAST_CHARS, _MOST_CHARS = 300, 700  # of a stretch
_BEFORE = 300  # characters that are read before a stretch
_MAX_CHARACTERS = 400_000  # of a document; a longer one would take minutes
_KEPT = 4_096  # stretches


class StretchCache:
    """What was found in stretches, by their content; the least recently used go first."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, tuple[Doubt, ...]] = OrderedDict()

    def get(self, key: bytes) -> tuple[Doubt, ...] | None:
        """Give doubts with offsets in the stretch's window, ``None`` if it is not known."""
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def put(self, key: bytes, doubts: Sequence[Doubt]) -> None:
        """Remember doubts with offsets in the window."""
        self._found[key] = tuple(doubts)
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)


@dataclass(slots=True, kw_only=True)
class SurpriseCheck:
    """One look through a program, as far as it has come.

    Attributes:
        snapshot: the document.
        doubts: all found so far.
        n_read: stretches that were not known already.
        done: whether it is through.
    """

    snapshot: Snapshot
    doubts: list[Doubt] = field(default_factory=list)
    n_read: int = 0
    done: bool = False


def check_steps(check: SurpriseCheck, cache: StretchCache, engine: object) -> Steps[None]:
    """Look through a program; what is found stands in ``check`` after each step.

    Args:
        check: a new one.
        cache: of stretches.
        engine: nothing is found if it is no :class:`Reader`.
    """
    snapshot = check.snapshot
    if isinstance(engine, Reader) and len(snapshot.text) <= _MAX_CHARACTERS:
        for window in windows(snapshot.text):
            yield
            question = ask(snapshot, window)
            key = _key(snapshot, question)
            known: Sequence[Doubt] | None = cache.get(key)
            if known is None:
                # Never cancelled within a step, so that what is remembered is whole.
                known = yield from doubt_steps(question, engine, CancelToken())
                cache.put(key, known)
                check.n_read += 1
            check.doubts += [carried(doubt, question.start) for doubt in known]
    check.done = True


class SurpriseLook:
    """A look through a program as jobs of one step each: a reading, or a comparison."""

    def __init__(self, snapshot: Snapshot, cache: StretchCache) -> None:
        self._check, self._cache = SurpriseCheck(snapshot=snapshot), cache
        self._steps: Iterator[None] | None = None

    @property
    def done(self) -> bool:
        """Whether it is through."""
        return self._check.done

    @property
    def n_new(self) -> int:
        """How many stretches were not known already."""
        return self._check.n_read

    def run(self, engine: Infiller, token: CancelToken) -> bool:
        """Do one step and say whether that was the last."""
        if self._steps is None:
            self._steps = check_steps(self._check, self._cache, engine)
        return token.stop_reason() is not None or next(self._steps, self) is self

    def found(self, older: Sequence[Doubt]) -> Sequence[Doubt]:
        """Give the hints once all are known, and until then what was known before."""
        return shown(self._check.doubts) if self.done else older


def shown(doubts: Sequence[Doubt]) -> list[Doubt]:
    """Give the doubts that are worth a hint, the most surprising first, :data:`MOST` at most."""
    likely = [doubt for doubt in doubts if doubt.score >= _LEAST_SCORE]
    return sorted(likely, key=lambda doubt: (-doubt.score, doubt.span.start))[:MOST]


def carried(doubt: Doubt, by: int) -> Doubt:
    """Move a doubt along."""
    span = Span(start=doubt.span.start + by, end=doubt.span.end + by)
    return replace(doubt, span=span)


def windows(text: str) -> Iterator[Window]:
    """Cut a text into stretches of whole lines, each with what stands before it.

    They end at blank lines where there are any, so that a change moves few of the cuts behind it.
    """
    start = at = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        at += len(line)
        is_last = number + 1 == len(lines)
        is_long = at - start >= _MOST_CHARS
        if is_last or is_long or (at - start >= _LEAST_CHARS and not line.strip()):
            low = max(0, start - _BEFORE)
            low = text.rfind("\n", 0, low) + 1 if low else 0
            yield Window(whole=Span(start=low, end=at), part=Span(start=start, end=at))
            start = at


def _key(snapshot: Snapshot, question: Question) -> bytes:
    """Hash all that the doubts of a stretch depend on: its text, and what the tree says of it."""
    facts = (snapshot.language_id, question.text, question.words)
    return blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
