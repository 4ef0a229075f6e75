"""Do slots help? Names, strings and numbers of held-out programs, with the slot told and without.

    python benchmarks/slots.py [--cases N] [--checkpoint FOLDER]

Gaps are tokens of ``holdout/selection.jsonl.gz``: the name after ``def`` or ``class``, in an
import, after a dot, a number, and what is left of a one-line string from a random place in it.
Three situations, all behind the gate as in an editor:

- ``hole``: what follows the token is there.
- ``selection``: as well, and the token is selected, so about its length is known.
- ``typing``: the rest of the line is not there yet, so a suggestion may well go on after the token.

Right is an answer that begins with exactly this token; ``more`` counts, of those, the ones that say
more than it, which a slot cuts, and ``line`` those that are the whole rest of the line.
"""

import argparse
import io
import keyword
import random
import re
import time
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgemma_engine import Engine, load
from dgemma_engine.types import Slot, SlotKind, Span
from dgemma_ls.evaluation.cases import Document, read_documents
from dgemma_ls.evaluation.statistics import cluster_bootstrap, paired_difference
from dgemma_ls.features.fill import judge, lengths_around
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.types import Refusal, Snapshot

DATA = Path(__file__).parent / "holdout" / "selection.jsonl.gz"
SITUATIONS = ("hole", "selection", "typing")
MIN_CHARS_BEFORE = 400
_TOKENS = {
    SlotKind.IDENTIFIER: re.compile(r"\w+"),
    SlotKind.NUMBER: re.compile(r"\d[\w.]*"),
    SlotKind.STRING: re.compile(r"(?:[^\\\"']|\\.)*"),  # up to the quotation mark, or all of it
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A token, or the rest of one, to be filled in."""

    kind: str
    document: Document
    span: Span
    slot: Slot

    @property
    def truth(self) -> str:
        """What stands there."""
        return self.document.text[self.span.start : self.span.end]

    @property
    def line_end(self) -> int:
        """Where the gap's line ends."""
        end = self.document.text.find("\n", self.span.end)
        return end if end >= 0 else len(self.document.text)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=60, help="of each kind")
    parser.add_argument("--situations", nargs="+", choices=SITUATIONS, default=SITUATIONS)
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    engine = load(options.checkpoint)
    gaps = drawn(read_documents(DATA), options.cases, options.seed)
    print("| gap | situation | right | with its slot | difference | more | line | ms | with |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for kind in dict.fromkeys(gap.kind for gap in gaps):
        for situation in options.situations:
            print(row(engine, [gap for gap in gaps if gap.kind == kind], situation), flush=True)


def row(engine: Engine, gaps: Sequence[Gap], situation: str) -> str:
    """Measure one kind in one situation."""
    hits: dict[bool, list[float]] = {False: [], True: []}
    seconds = {False: 0.0, True: 0.0}
    n_more = n_line = 0
    for gap in gaps:
        text = gap.document.text
        after = text[gap.line_end if situation == "typing" else gap.span.end :]
        lengths = None
        if situation == "selection":  # as ``features/holes.py`` does
            n_tokens = len(engine.tokenizer.encode(gap.truth))
            lengths = lengths_around(n_tokens, engine.max_span_tokens)
        for told in (False, True):
            started = time.perf_counter()
            answer = filled(engine, gap, after, lengths, gap.slot if told else None)
            seconds[told] += time.perf_counter() - started
            right = first_token(gap, answer) == gap.truth
            hits[told].append(float(right))
            if right and not told:
                n_more += answer != gap.truth
                n_line += answer == text[gap.span.start : gap.line_end]
    files = [gap.document.path for gap in gaps]
    without, told = (cluster_bootstrap(hits[each], files, seed=0) for each in (False, True))
    gain = paired_difference(hits[True], hits[False], files, seed=0)
    milliseconds = [f"{1000 * seconds[each] / len(gaps):.0f}" for each in (False, True)]
    return (
        f"| {gaps[0].kind} ({len(gaps)}) | {situation} | {without.mean:.1%} | {told.mean:.1%}"
        f" | {gain.mean:+.1%} ({gain.low:+.1%} to {gain.high:+.1%}) | {n_more} | {n_line}"
        f" | {' | '.join(milliseconds)} |"
    )


def filled(
    engine: Engine, gap: Gap, after: str, lengths: tuple[int, ...] | None, slot: Slot | None
) -> str:
    """Ask as the server does, the gate included."""
    prefix = gap.document.text[: gap.span.start]
    uri = f"file:///{gap.document.path}"
    snapshot = Snapshot(uri=uri, version=1, language_id="python", text=prefix + after)
    span = Span(start=len(prefix), end=len(prefix))
    check = GateCheck(snapshot, span)
    result = engine.infill(prefix, after, lengths=lengths, n_candidates=1, slot=slot, check=check)
    outcome = judge(snapshot, span, result, limit=1, check=check)
    return "" if isinstance(outcome, Refusal) else outcome[0].edit.new_text


def first_token(gap: Gap, answer: str) -> str:
    """Give what an answer says of the token itself."""
    match = _TOKENS[gap.slot.kind].match(answer)
    return match[0] if match else ""


def drawn(documents: Sequence[Document], n_cases: int, seed: int) -> list[Gap]:
    """Draw gaps of each kind, at most three of a file."""
    rng = random.Random(seed)
    found: dict[str, list[Gap]] = {}
    for document in rng.sample(documents, len(documents)):
        of_file: dict[str, list[Gap]] = {}
        for gap in gaps_in(document, rng):
            of_file.setdefault(gap.kind, []).append(gap)
        for kind, gaps in of_file.items():
            found.setdefault(kind, []).extend(rng.sample(gaps, min(3, len(gaps))))
    return [gap for kind in sorted(found) for gap in found[kind][:n_cases]]


def gaps_in(document: Document, rng: random.Random) -> Iterator[Gap]:
    """Find the gaps of one document, as Python's own tokenizer has its tokens."""
    lines = document.text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    if document.text.count("\n") != len([line for line in lines if line.endswith("\n")]):
        return  # line ends that the tokenizer counts otherwise
    before, statement = "", ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(document.text).readline):
            if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL):
                statement = ""
                continue
            statement = statement or token.string
            start = starts[token.start[0] - 1] + token.start[1]
            kind, slot = kind_of(token, before, statement)
            before = token.string
            if not kind or start < MIN_CHARS_BEFORE:
                continue
            end = start + len(token.string)
            if kind == "string":
                start, end = start + 1 + rng.randrange(len(token.string) - 2), end - 1
            span = Span(start=start, end=end)
            if "\\" not in document.text[start:end]:
                yield Gap(kind=kind, document=document, span=span, slot=slot)
    except (tokenize.TokenError, SyntaxError):
        return


def kind_of(token: tokenize.TokenInfo, before: str, statement: str) -> tuple[str, Slot]:
    """Say which kind of gap a token is, and what it takes."""
    text = token.string
    name = Slot(kind=SlotKind.IDENTIFIER)
    if token.type == tokenize.NAME and not keyword.iskeyword(text):
        if before in ("def", "class"):
            return "defined name", name
        if statement in ("import", "from"):
            return "imported name", name
        if before == ".":
            return "attribute", name
    if token.type == tokenize.NUMBER:
        return "number", Slot(kind=SlotKind.NUMBER)
    if token.type == tokenize.STRING and text[0] in "\"'" and len(text) > 4 and text[1] != text[0]:
        return "string", Slot(kind=SlotKind.STRING, quote=text[0])
    return "", name


if __name__ == "__main__":
    main()
