"""``dgemma-ls check``: the server's work on a file, without an editor, as ``clangd --check``.

Opens the file, parses it, and asks for ghost text at sampled places with the real engine.
"""

import argparse
import enum
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dgemma_ls.commands.arguments import EngineLoader, InputError, read_count, read_seed
from dgemma_ls.commands.progress import busy, tracked
from dgemma_ls.features import inline
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.inline_place import place_at
from dgemma_ls.files import read_text
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.models import model_folder
from dgemma_ls.positions import LineIndex, PositionEncoding
from dgemma_ls.syntax import find_flaws, has_grammar, language_for_path, wants_multiline
from dgemma_ls.types import Refusal, Snapshot

DESCRIPTION = (
    "Do the server's work on a file: open it, parse it, and ask for a suggestion at sampled "
    "places. A refusal is no failure: showing nothing is often right. Exit code 0: all went well, "
    "1: something failed, 2: bad input."
)


class Outcome(enum.Enum):
    """How one place went."""

    OFFERED = "offered"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What happened at one place.

    Attributes:
        line: from 1.
        column: from 1, in characters.
        outcome: how it went.
        detail: what was offered (how many texts), why it was refused, or what failed.
        milliseconds: from the question to the gated answer.
    """

    line: int
    column: int
    outcome: Outcome
    detail: str
    milliseconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``check``."""
    parser.add_argument("file", metavar="FILE", help="a UTF-8 text file")
    parser.add_argument("--model", metavar="MODEL", default=EMBEDDED, help="a model folder")
    parser.add_argument(
        "--positions", metavar="N", type=read_count, default=20, help="places to try (default: 20)"
    )
    parser.add_argument(
        "--seed", metavar="S", type=read_seed, default=0, help="same seed, same places and fills"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Visit the places and report.

    Raises:
        FileError: if the file or the model folder cannot be read.
        InputError: if the file is empty.
        EngineError: if the model cannot be loaded.
    """
    file = read_text(args.file)
    if not file.text.strip():
        raise InputError(f"{file.path} holds nothing but white space; there is no place to try")
    language = language_for_path(file.path)
    snapshot = Snapshot(uri=str(file.path), version=0, language_id=language, text=file.text)
    n_flaws = len(find_flaws(language, file.text)) if has_grammar(language) else None
    folder = model_folder(args.model)
    started = time.perf_counter()
    with busy("loading the model"):
        engine = load(EMBEDDED if args.model == EMBEDDED else str(folder))
    load_ms = (time.perf_counter() - started) * 1000
    offsets = sample_offsets(file.text, args.positions, args.seed)
    visits = []
    for visit in tracked(_visits(engine, snapshot, offsets, args.seed), len(offsets), "checking"):
        visits.append(visit)
        if not args.json:
            print(
                f"{args.file}:{visit.line}:{visit.column}: {visit.outcome.value}: {visit.detail} "
                f"({visit.milliseconds:.0f} ms)"
            )
    if args.json:
        print(json.dumps(_as_json(snapshot, n_flaws, load_ms, visits)))
    else:
        _summarise(snapshot, n_flaws, load_ms, visits)
    return 1 if any(visit.outcome is Outcome.FAILED for visit in visits) else 0


def sample_offsets(text: str, n: int, seed: int) -> list[int]:
    """Choose cursor positions: ends of words and signs on lines that are not blank, in order."""
    places = [
        offset
        for offset in range(1, len(text) + 1)
        if not text[offset - 1].isspace()
        and (offset == len(text) or not (text[offset - 1].isalnum() and text[offset].isalnum()))
    ]
    return sorted(random.Random(seed).sample(places, min(n, len(places))))  # noqa: S311


def visit(engine: Infiller, snapshot: Snapshot, offset: int, seed: int) -> tuple[Outcome, str]:
    """Ask for ghost text at one place, as the server does, and look at what comes out."""
    try:
        place = place_at(snapshot, offset)
        if isinstance(place, Refusal):
            return Outcome.REFUSED, place.reason.value
        multiline = wants_multiline(snapshot, offset)
        answer = inline.ask(engine, snapshot, place, multiline=multiline, limit=3, seed=seed)
    except Exception as err:  # noqa: BLE001 - finding what fails is what this command is for
        return Outcome.FAILED, f"{type(err).__name__}: {err}"
    if isinstance(answer, Refusal):
        return Outcome.REFUSED, answer.reason.value
    edits = [suggestion.edit for suggestion in answer.suggestions]
    for edit in edits:
        # The gate's work once more, from outside.
        if _parses(snapshot.language_id, snapshot.text) and not _parses(
            snapshot.language_id, edit.apply(snapshot)
        ):
            return Outcome.FAILED, f"the edit {edit.new_text!r} breaks the parse"
    return Outcome.OFFERED, f"{len(edits)} texts, first {edits[0].new_text!r}"


def _visits(engine: Infiller, snapshot: Snapshot, offsets: list[int], seed: int) -> Iterator[Visit]:
    lines = LineIndex(snapshot.text)
    for offset in offsets:
        started = time.perf_counter()
        outcome, detail = visit(engine, snapshot, offset, seed)
        position = lines.position_at(offset, PositionEncoding.UTF32)
        yield Visit(
            line=position.line + 1,
            column=position.character + 1,
            outcome=outcome,
            detail=detail,
            milliseconds=(time.perf_counter() - started) * 1000,
        )


def _parses(language: str, text: str) -> bool:
    return not has_grammar(language) or not find_flaws(language, text)


def _summarise(
    snapshot: Snapshot, n_flaws: int | None, load_ms: float, visits: list[Visit]
) -> None:
    counts = Counter(visit.outcome for visit in visits)
    parsed = "no grammar" if n_flaws is None else f"{n_flaws} syntax errors"
    times = sorted(visit.milliseconds for visit in visits)
    outcomes = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    print(f"{snapshot.language_id}: {parsed}; model loaded in {load_ms:.0f} ms")
    print(
        f"{len(visits)} places: {outcomes}; median {times[len(times) // 2]:.0f} ms, "
        f"slowest {times[-1]:.0f} ms"
    )


def _as_json(
    snapshot: Snapshot, n_flaws: int | None, load_ms: float, visits: list[Visit]
) -> dict[str, object]:
    counts = Counter(visit.outcome for visit in visits)
    return {
        "file": snapshot.uri,
        "language": snapshot.language_id,
        "syntax_errors": n_flaws,
        "load_milliseconds": load_ms,
        "totals": {outcome.value: counts[outcome] for outcome in Outcome},
        "places": [
            {
                "line": visit.line,
                "column": visit.column,
                "outcome": visit.outcome.value,
                "detail": visit.detail,
                "milliseconds": visit.milliseconds,
            }
            for visit in visits
        ],
    }
