"""Text → canvas → text: nothing outside a span is lost, moved or invented, for real files.

No model: a span is filled with the truth or with random tokens, and the document is put together
again. Spans are those of HumanEval-Infilling, where it lies beside the repository, and random ones
of real files: the samples beside the tests, and what the installed packages bring.
"""

import functools
import gzip
import json
import os
import random
import sysconfig
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import dgemma_engine
from dgemma_engine.infill.healing import heal, span_tokens
from dgemma_engine.infill.planner import (
    MAX_CANVAS_TOKENS,
    CanvasPlan,
    CanvasRow,
    max_span_tokens,
    plan_canvases,
)
from dgemma_engine.infill.settings import InfillSettings, load_infill_settings
from dgemma_engine.tokenizer import Tokenizer, load_tokenizer

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "samples"
HUMANEVAL = ROOT.parent / "shared" / "data" / "human-eval-infilling"
EMBEDDED = Path(dgemma_engine.__file__).parent / "embedded"
BOS, EOS = 2, 1

INSTALLED = (
    "c",
    "cmake",
    "cpp",
    "css",
    "f90",
    "h",
    "html",
    "js",
    "json",
    "md",
    "py",
    "rst",
    "yaml",
)
N_PER_SUFFIX = 4
LEAST_BYTES, MOST_BYTES = 500, 200_000

ODDITIES = ("<eos>", "<bos><|turn>", "\0", "\ud83d", "é", "𝒳", "\u2028", "\t", "▁", "\r")
ODDITIES += (" " * 900, "-" * 900, "x" * 900)
"""What a document may hold and a planner trip over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A document and a span of it."""

    prefix: str
    middle: str
    suffix: str


@pytest.fixture(scope="module")
def tokenizers(byte_level: Tokenizer, byte_fallback: Tokenizer) -> list[Tokenizer]:
    """The embedded model's, a small one of the same family, and one built like Gemma's."""
    return [load_tokenizer(EMBEDDED), byte_level, byte_fallback]


SETTINGS = (
    load_infill_settings(EMBEDDED),
    InfillSettings(context_tokens=32, canvas_tokens=16, left_tokens=4, right_tokens=4),
    InfillSettings(context_tokens=100, canvas_tokens=64, left_tokens=0, right_tokens=8),
    InfillSettings(context_tokens=1024),
)


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def check_round_trip(
    case: Case, tokenizer: Tokenizer, settings: InfillSettings, rng: random.Random
) -> None:
    """Plan canvases for a span, fill them, and put the document together again."""
    kept, head = heal(case.prefix, tokenizer)
    assert kept + head == case.prefix
    longest = max_span_tokens(settings, MAX_CANVAS_TOKENS)
    truth = tokenizer.encode(head + case.middle)
    assert span_tokens(case.prefix, case.middle, tokenizer) == len(truth)
    lengths = [min(max(1, len(truth)), longest), rng.randint(1, longest)]
    plan = plan_canvases(
        case.prefix, case.suffix, lengths, tokenizer, settings, bos_id=BOS, eos_id=EOS
    )

    assert plan.head == head
    check_surroundings(case, plan, tokenizer)
    for row in plan.rows:
        check_row(case, plan, row, tokenizer)
        for ids in (truth, random_span(row, tokenizer, rng)):
            filled = tokenizer.decode_bytes(ids)
            assert filled.startswith(utf8(head))
            new = filled[len(utf8(head)) :]
            if ids is truth:
                assert new == utf8(case.middle)
            canvas = [*row.ids[: row.start - len(row.given)], *ids, *after(row)]
            known = tokenizer.decode_bytes([*plan.context_ids, *canvas])
            assert known == (
                tokenizer.decode_bytes(plan.known_ids)
                + utf8(head)
                + new
                + tokenizer.decode_bytes(after(row))
            )
            # What the canvas shows is a piece of the new document, at the same place.
            document = utf8(case.prefix) + new + utf8(case.suffix)
            assert document.startswith(known, len(utf8(kept)) - n_bytes_before(plan, tokenizer))


def check_surroundings(case: Case, plan: CanvasPlan, tokenizer: Tokenizer) -> None:
    """Clamped ids stand for exactly the text on both sides of the span."""
    before = tokenizer.decode_bytes(plan.known_ids) + utf8(plan.head)
    assert utf8(case.prefix).endswith(before)
    is_whole = plan.known_ids[:1] == (BOS,)
    assert is_whole == (len(before) == len(utf8(case.prefix)))
    assert BOS not in plan.known_ids[1:]
    assert not tokenizer.special_ids & {*plan.known_ids[1:], *plan.right_ids}
    assert utf8(case.suffix).startswith(tokenizer.decode_bytes(plan.right_ids))


def check_row(case: Case, plan: CanvasPlan, row: CanvasRow, tokenizer: Tokenizer) -> None:
    """A canvas is left clamp, span, right clamp and end fill, without a gap."""
    assert row.ids[: row.start] == plan.left_ids + row.given
    right = row.ids[row.start + row.n_tokens :][: row.n_right]
    assert right == plan.right_ids[: row.n_right]
    fill = row.ids[row.start + row.n_tokens + row.n_right :]
    assert set(fill) <= {EOS}
    if fill:
        assert tokenizer.decode_bytes(right) == utf8(case.suffix)
    begun = tokenizer.decode_bytes(row.given)
    assert (begun, row.must_start) in {(utf8(plan.head), b""), (b"", utf8(plan.head))}
    if row.must_start:
        assert tokenizer.has_token_starting_with(row.must_start)


def random_span(row: CanvasRow, tokenizer: Tokenizer, rng: random.Random) -> list[int]:
    """Any tokens that the row admits."""
    ids = [rng.choice(textual_ids(tokenizer)) for _ in range(row.n_tokens)]
    if row.must_start:
        starts = [
            token
            for token in textual_ids(tokenizer)
            if tokenizer.token_bytes[token].startswith(row.must_start)
        ]
        ids[0] = rng.choice(starts)
    return [*row.given, *ids]


@functools.cache
def textual_ids(tokenizer: Tokenizer) -> list[int]:
    return [token for token, text in enumerate(tokenizer.token_bytes) if text]


def after(row: CanvasRow) -> tuple[int, ...]:
    return row.ids[row.start + row.n_tokens :]


def n_bytes_before(plan: CanvasPlan, tokenizer: Tokenizer) -> int:
    return len(tokenizer.decode_bytes(plan.known_ids))


def documents() -> dict[str, list[str]]:
    """Real files by language."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SAMPLES.glob("*/*")):
        by_language[path.parent.name].append(path.read_bytes().decode())
    by_suffix: dict[str, list[Path]] = defaultdict(list)
    for folder, _, names in os.walk(sysconfig.get_path("purelib")):
        for name in names:
            by_suffix[name.rpartition(".")[2]].append(Path(folder, name))
    for suffix in INSTALLED:
        paths = [
            path
            for path in sorted(by_suffix[suffix])
            if LEAST_BYTES <= path.stat().st_size <= MOST_BYTES
        ]
        for path in paths[:: -(-len(paths) // N_PER_SUFFIX) or 1]:
            by_language[suffix].append(path.read_bytes().decode(errors="surrogateescape"))
    return by_language


def random_case(text: str, rng: random.Random) -> Case:
    """A span as editors have them: nothing, a few characters, a rest of a line, some lines."""
    if rng.random() < 0.15:
        text = text.replace("\n", rng.choice(["\r\n", "\r", "\n\n"]))
    if rng.random() < 0.15:
        place = rng.randint(0, len(text))
        text = text[:place] + rng.choice(ODDITIES) + text[place:]
        start = min(max(0, place + rng.randint(-12, 3)), len(text))
    else:
        start = rng.randint(0, len(text))
    rest_of_line = text.find("\n", start) % (len(text) + 1)
    end = rng.choice([start, start + rng.randint(1, 12), rest_of_line, start + rng.randint(1, 300)])
    end = max(start, min(end, len(text)))
    return Case(prefix=text[:start], middle=text[start:end], suffix=text[end:])


def humaneval_cases() -> list[Case]:
    if not HUMANEVAL.is_dir():
        pytest.skip("HumanEval-Infilling does not lie beside the repository (shared/data)")
    cases = []
    for path in sorted(HUMANEVAL.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            cases += [
                Case(prefix=row["prompt"], middle=row["canonical_solution"], suffix=row["suffix"])
                for row in map(json.loads, lines)
            ]
    return cases


def random_cases(n_cases: int, seed: int) -> Iterator[tuple[str, Case]]:
    """Spans of all languages in turn."""
    rng = random.Random(seed)
    by_language = documents()
    for idx in range(n_cases):
        language = list(by_language)[idx % len(by_language)]
        yield language, random_case(rng.choice(by_language[language]), rng)


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_every_gap_of_humaneval_goes_to_a_canvas_and_back(
    tokenizers: list[Tokenizer], every: int
) -> None:
    cases = humaneval_cases()
    assert len(cases) >= 1_000
    rng = random.Random(0)
    n_checked = 0
    for case in cases[::every]:
        for tokenizer in tokenizers:
            check_round_trip(case, tokenizer, rng.choice(SETTINGS), rng)
            n_checked += 1
    print(f"{n_checked} round trips of HumanEval-Infilling")


@pytest.mark.parametrize("n_cases", [500, pytest.param(6_000, marks=pytest.mark.slow)])
def test_random_spans_of_real_files_go_to_a_canvas_and_back(
    tokenizers: list[Tokenizer], n_cases: int
) -> None:
    rng = random.Random(1)
    checked: Counter[str] = Counter()
    for language, case in random_cases(n_cases, seed=n_cases):
        for tokenizer in tokenizers:
            check_round_trip(case, tokenizer, rng.choice(SETTINGS), rng)
            checked[language] += 1
    print(f"{checked.total()} round trips in {len(checked)} languages: {dict(checked)}")
    assert len(checked) >= 12
