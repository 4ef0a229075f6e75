"""``dgemma-ls fix``: find typos in files, show them or mend them."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.fix_progress import Counter
from dgemma_ls.commands.fix_reports import as_diff, as_json, as_lines, as_sarif
from dgemma_ls.features.typos import (
    TypoOptions,
    apply_all,
    ask,
    finish,
    language_for_proofreading,
    only,
    passing,
    prepare,
    take_answers,
)
from dgemma_ls.files import FileError, TextFile, read_text, write_text
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.proofread.dictionaries import WordFile, user_file, words_right_in, workspace_file
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.proofread.left_alone import is_left_alone
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.types import Snapshot
from dgemma_ls.walk import files_below

if TYPE_CHECKING:
    from dgemma_engine import Engine

_FILES_AT_ONCE = 50
_PLACES_AT_ONCE = 200  # that the model compares, some 2 s

DESCRIPTION = (
    "Find typos in prose, comments and docstrings. Shows them; --write mends them. "
    "Exit code 0: nothing found, 1: something found, 2: bad input."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file with what was found in it."""

    file: TextFile
    snapshot: Snapshot
    fixes: tuple[Fix, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``fix``."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="files, and folders to look through"
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--write", action="store_true", help="write the fixes to the files")
    output.add_argument("--diff", action="store_true", help="print the fixes as a patch")
    output.add_argument("--json", action="store_true", help="print one JSON array")
    output.add_argument("--sarif", action="store_true", help="print a SARIF log, for code scanning")
    parser.add_argument(
        "--tier",
        choices=[tier.value for tier in Tier],
        help="safe: what needs no second look; suggest: all "
        "(default: safe with --write and --diff, suggest otherwise)",
    )
    parser.add_argument(
        "--only", choices=("prose", "comments"), help="look at documents, or at programs, alone"
    )
    parser.add_argument(
        "--words", metavar="FILE", type=Path, help="words that are right, one a line, # comments"
    )
    parser.add_argument("--strings", action="store_true", help="look at strings of programs too")
    parser.add_argument(
        "--model", metavar="DIR", default=EMBEDDED, help="model folder (default: the embedded one)"
    )
    parser.add_argument(
        "--no-model", action="store_true", help="lists, rules and word statistics alone: quicker"
    )
    parser.add_argument(
        "--force-exclude",
        action="store_true",
        help="leave generated, vendored and legal files alone even where they are named",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Check the files, show or write.

    Returns:
        0 when nothing was found, 1 otherwise, 2 when a file could not be written.

    Raises:
        FileError: a file that was named cannot be read.
        InputError: the list of words cannot be read, or there is no such model.
        EngineError: the model cannot be loaded.
    """
    tier = Tier(args.tier or ("safe" if args.write or args.diff else "suggest"))
    options = TypoOptions(
        tier=tier,
        kinds=only([args.only] if args.only else []),
        words=_words(args.words),
        strings=args.strings,
    )
    named = set() if args.force_exclude else {Path(path) for path in args.paths}
    paths = files_below(args.paths)
    if args.no_model and args.model != EMBEDDED:
        raise InputError(
            f"--no-model leaves out the model, --model {args.model} names one; take one"
        )
    engine = None if args.no_model else _load(args.model, load)
    try:
        found = [
            checked for checked in _check_all(paths, named, options, args, engine) if checked.fixes
        ]
    except KeyboardInterrupt:
        print("dgemma-ls: interrupted; no file was changed", file=sys.stderr)
        raise
    failed = _write_all(found) if args.write else []
    found = [checked for checked in found if checked not in failed]
    _show(found, args)
    n_fixes = sum(len(checked.fixes) for checked in found)
    if not args.quiet:
        done = "mended" if args.write else "found"
        print(
            f"dgemma-ls: {n_fixes} {'typo' if n_fixes == 1 else 'typos'} {done} in {len(found)} of "
            f"{len(paths)} {'file' if len(paths) == 1 else 'files'}",
            file=sys.stderr,
        )
    return 2 if failed else 1 if found else 0


def _write_all(found: Sequence[Checked]) -> list[Checked]:
    """Write what can be written; say of each other file why it was left alone, and give those."""
    failed = []
    for number, checked in enumerate(found):
        try:
            write_text(checked.file, apply_all(checked.snapshot, checked.fixes))
        except FileError as err:
            print(f"dgemma-ls: error: {err}", file=sys.stderr)
            failed.append(checked)
        except KeyboardInterrupt:
            n_written = number - len(failed)
            print(
                f"dgemma-ls: interrupted; {n_written} of {len(found)} files with typos are mended, "
                "the others as they were",
                file=sys.stderr,
            )
            raise
    return failed


def _check_all(
    paths: Sequence[Path],
    named: set[Path],
    options: TypoOptions,
    args: argparse.Namespace,
    engine: "Engine | None",
) -> Iterator[Checked]:
    knowledge = Knowledge.load()
    dictionaries: dict[Path, WordFile] = {}
    progress = Counter(len(paths), quiet=args.quiet)
    try:
        for at in range(0, len(paths), _FILES_AT_ONCE):
            read = [_read(path, path in named) for path in paths[at : at + _FILES_AT_ONCE]]
            knowledge.look_up(file.text for file, _ in filter(None, read))
            for number, pair in enumerate(read, start=at + 1):
                if pair is not None:
                    file, snapshot = pair
                    own = (user_file(), workspace_file(file.path))
                    known = [dictionaries.setdefault(path, WordFile(path)) for path in own]
                    words = options.words | words_right_in(snapshot, known)
                    options_here = replace(options, words=words)
                    yield _check(file, snapshot, knowledge, options_here, engine, progress)
                progress.show(number)
    finally:
        progress.end()


def _read(path: Path, is_named: bool) -> tuple[TextFile, Snapshot] | None:
    language_id = language_for_proofreading(path)
    if language_id is None:
        return None
    try:
        file = read_text(path)
    except FileError:
        if is_named:
            raise
        return None  # a binary or an odd encoding somewhere in a folder is no mistake
    if not is_named and is_left_alone(path, file.text) is not None:
        return None
    return file, Snapshot(uri=str(path), version=0, language_id=language_id, text=file.text)


def _check(
    file: TextFile,
    snapshot: Snapshot,
    knowledge: Knowledge,
    options: TypoOptions,
    engine: "Engine | None",
    progress: Counter,
) -> Checked:
    found = prepare(snapshot, knowledge, options)
    if engine is not None:
        asked = ask(found)
        scores: list[tuple[float, ...]] = []
        for at in range(0, len(asked.places), _PLACES_AT_ONCE):
            progress.show_part(at, len(asked.places))
            scores += engine.compare(snapshot.text, asked.places[at : at + _PLACES_AT_ONCE])
        take_answers(found, asked, scores)
    fixes = finish(found, options, with_model=engine is not None)
    return Checked(file=file, snapshot=snapshot, fixes=tuple(passing(snapshot, fixes)))


def _show(found: Sequence[Checked], args: argparse.Namespace) -> None:
    pairs = [(checked.snapshot, checked.fixes) for checked in found]
    if args.json:
        sys.stdout.write(as_json(pairs))
    elif args.sarif:
        sys.stdout.write(as_sarif(pairs))
    elif args.diff:
        for snapshot, fixes in pairs:
            sys.stdout.write(as_diff(snapshot, apply_all(snapshot, fixes)))
    else:
        sys.stdout.write(as_lines(pairs))


def _load(model: str, load: EngineLoader) -> "Engine":
    if model != EMBEDDED and not Path(model).is_dir():
        raise InputError(f"{model} is no model folder; leave out --model for the embedded one")
    return cast("Engine", load(model))


def _words(path: Path | None) -> frozenset[str]:
    if path is None:
        return frozenset()
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{path} cannot be read as a list of words: {err}") from err
    return frozenset(word for line in lines if (word := line.partition("#")[0].strip()))
