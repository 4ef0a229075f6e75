"""How suggestions fare: shown, accepted, and still there 30 seconds later. Numbers only.

Counts in a file on this machine, and only where the user named one. No text is kept beyond the 30
seconds, and none is written. The clock is passed in.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

KEPT_AFTER_S = 30.0

_LOCK_PATIENCE_S = 1.0  # another session holds the file for a moment only
_MAX_PENDING = 100
_MAX_LANGUAGES = 100  # a client makes up the ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was counted for one language.

    Attributes:
        shown: suggestions that a user saw.
        accepted: those taken over, in whole or in part.
        accepted_chars: characters taken over.
        kept: those accepted that still stood in the document 30 s later.
        changed: those accepted that did not.
    """

    shown: int = 0
    accepted: int = 0
    accepted_chars: int = 0
    kept: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    due_s: float
    uri: str
    language_id: str
    text: str


class Statistics:
    """Counts, and adds the counts to a file whenever :meth:`save` is called.

    Several sessions and processes may share the file.

    Args:
        path: the file; counts that are in it go on.
        clock: seconds.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._saved = read_statistics(path)
        self._unsaved: dict[str, Counts] = {}
        self._pending: list[_Pending] = []
        self._lock = threading.Lock()  # of the counts: a thread may save while others count

    @property
    def counts(self) -> Mapping[str, Counts]:
        """The counts by language id: the file's, as last seen, and what came since."""
        with self._lock:
            return _sum(self._saved, self._unsaved)

    def shown(self, language_id: str) -> None:
        """Count a suggestion that the user sees."""
        self._add(language_id, shown=1)

    def accepted(self, uri: str, language_id: str, text: str) -> None:
        """Count a suggestion that was taken over; it is looked for again after 30 seconds.

        Args:
            uri: its document.
            language_id: the document's language.
            text: what was taken over; held in memory until it was looked for.
        """
        self._add(language_id, accepted=1, accepted_chars=len(text))
        due_s = self._clock() + KEPT_AFTER_S
        self._pending.append(_Pending(due_s=due_s, uri=uri, language_id=language_id, text=text))
        del self._pending[:-_MAX_PENDING]

    def next_check_s(self) -> float | None:
        """Say in how many seconds :meth:`check` has work to do; ``None`` when nothing waits."""
        if not self._pending:
            return None
        return max(0.0, self._pending[0].due_s - self._clock())

    def check(self, text_of: Callable[[str], str | None]) -> None:
        """Look for accepted texts whose 30 seconds are over.

        Args:
            text_of: gives a document's text, or ``None`` if it is closed; then it counts for
                neither.
        """
        now_s = self._clock()
        due = [item for item in self._pending if item.due_s <= now_s]
        self._pending = [item for item in self._pending if item.due_s > now_s]
        for item in due:
            text = text_of(item.uri)
            if text is None:
                continue
            if item.text.strip() in text:
                self._add(item.language_id, kept=1)
            else:
                self._add(item.language_id, changed=1)

    def save(self) -> None:
        """Add the counts to the file; one that cannot be written is logged, not fatal.

        May take a second where others hold the file, so a thread may do it.
        """
        from filelock import FileLock  # most users count nothing, and all wait for the start

        with self._lock:
            counts, self._unsaved = self._unsaved, {}
        new = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=_LOCK_PATIENCE_S, mode=0o600):
                together = _sum(read_statistics(self._path), counts)
                value = {name: asdict(counts) for name, counts in sorted(together.items())}
                descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump({"dgemma_statistics": 1, "languages": value}, file, indent=1)
                    file.write("\n")
                new.replace(self._path)
        except OSError as err:  # a lock that is held too long is one, too
            log.warning("statistics not written: error=%s", type(err).__name__)
            with self._lock:
                self._unsaved = _sum(counts, self._unsaved)
            return
        with self._lock:
            self._saved = together

    def _add(self, language_id: str, **more: int) -> None:
        with self._lock:
            known = self._saved.keys() | self._unsaved.keys()
            if language_id not in known and len(known) >= _MAX_LANGUAGES:
                language_id = "other"
            self._unsaved = _sum(self._unsaved, {language_id: Counts(**more)})


def read_statistics(path: Path) -> dict[str, Counts]:
    """Read the counts of a file; what is missing or odd counts as nothing."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        languages = value["languages"].items()
        return {str(name): Counts(**_numbers(counts)) for name, counts in languages}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _sum(first: Mapping[str, Counts], second: Mapping[str, Counts]) -> dict[str, Counts]:
    together = dict(first)
    for name, counts in second.items():
        old = asdict(together.get(name, Counts()))
        together[name] = Counts(**{key: old[key] + n for key, n in asdict(counts).items()})
    return together


def _numbers(counts: Mapping[str, object]) -> dict[str, int]:
    if not all(type(n) is int and n >= 0 for n in counts.values()):
        raise ValueError("counts are whole numbers")
    return {name: n for name, n in counts.items() if isinstance(n, int)}
