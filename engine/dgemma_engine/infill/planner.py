"""Texts → canvases: where to cut, what to clamp, how long the span may be. Pure; no torch.

A canvas is ``[left clamp | span | right clamp | end fill]``; what comes before it is the context,
which the encoder reads. There is one canvas per candidate length, because the model has no symbol
for "delete": positions are contiguous in each, and every canvas of a plan has the same length.

*Token healing*: text cut in the middle of a word is tokenised as it never was in training. So the
cut moves to a safe boundary: a word begun before the span, or going on after it, becomes part of
the span, and its first (last) token must begin (end) with what is there. Bytes outside the span
are never taken from the model: the plan remembers how much of the filled text is known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.tokenizer import Tokenizer

MAX_CANVAS_TOKENS = 256
_CANVAS_STEP = 16  # canvas lengths are multiples of it, so that few shapes occur
_LONGEST_WORD = 64  # characters; a longer run of letters is no word that could be completed
_CHARS_PER_TOKEN = 6  # generous: more text than the token budget can hold

# What a token may be the beginning of: a word with the space or underscores before it, or the
# space alone (a space belongs to the word after it).
_OPEN_WORD = re.compile(r" ?_*[^\W\d_]+\Z| ?_+\Z|(?<=\S) \Z")
_WORD_GOES_ON = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasRow:
    """One canvas.

    Attributes:
        ids: C token ids; those of the span are of no meaning.
        start: index of the span's first token.
        n_tokens: tokens of the span, at least 1.
        n_right: clamped tokens of the suffix after the span (the rest is end fill).
        must_start: bytes with which the span's first token begins, or which it begins.
        must_end: bytes with which the span's last token ends.
    """

    ids: tuple[int, ...]
    start: int
    n_tokens: int
    n_right: int
    must_start: bytes
    must_end: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasPlan:
    """All canvases of one request, of equal length, after one context.

    Attributes:
        context_ids: what the encoder reads.
        left_ids: the clamped tokens between the context and every span.
        right_ids: tokens of the suffix after every span.
        rows: one canvas per candidate length.
        head: known text at the start of every filled span, to be cut off the result.
        tail: known text at its end.
    """

    context_ids: tuple[int, ...]
    left_ids: tuple[int, ...]
    right_ids: tuple[int, ...]
    rows: tuple[CanvasRow, ...]
    head: str
    tail: str

    @property
    def known_ids(self) -> tuple[int, ...]:
        """All tokens read before the span."""
        return self.context_ids + self.left_ids


def max_span_tokens(settings: InfillSettings, canvas_length: int) -> int:
    """Longest span that a canvas holds beside its clamps."""
    return min(MAX_CANVAS_TOKENS, canvas_length) - sum(_clamps(settings, canvas_length))


def span_tokens(prefix: str, text: str, suffix: str, tokenizer: Tokenizer) -> int:
    """Count the tokens that a span needs to hold ``text``, the ends of cut words included."""
    kept, head, tail, _ = heal(prefix, suffix)
    _, head = _shorten_head(kept, head, tokenizer)
    return len(tokenizer.encode(head + text + tail))


def plan_canvases(
    prefix: str,
    suffix: str,
    lengths: Sequence[int],
    tokenizer: Tokenizer,
    settings: InfillSettings,
    *,
    bos_id: int,
    eos_id: int,
    canvas_length: int = MAX_CANVAS_TOKENS,
) -> CanvasPlan:
    """Lay out one canvas per candidate length.

    Args:
        prefix: all text before the span.
        suffix: all text after it.
        lengths: tokens that the new text may have, each 1..:func:`max_span_tokens`.
        tokenizer: of the checkpoint.
        settings: of the checkpoint.
        bos_id: begins a document.
        eos_id: fills what follows the end of the document.
        canvas_length: longest canvas that the model takes.

    Raises:
        RequestError: no length is given, or one is out of range.
    """
    longest = max_span_tokens(settings, canvas_length)
    if not lengths or not all(1 <= length <= longest for length in lengths):
        raise RequestError(f"span lengths {list(lengths)} must be 1..{longest} tokens")
    kept, head, tail, rest = heal(prefix, suffix)
    kept, head = _shorten_head(kept, head, tokenizer)
    before = _context_ids(kept, tokenizer, settings, bos_id)
    n_left = min(_clamps(settings, canvas_length)[0], len(before))
    n_canvas = _canvas_tokens(n_left, max(lengths), settings, canvas_length)
    after = _first_ids(rest, n_canvas, tokenizer)
    left = before[len(before) - n_left :]
    rows = []
    for length in dict.fromkeys(lengths):
        right = after[: n_canvas - n_left - length]
        fill = [eos_id] * (n_canvas - n_left - length - len(right))
        rows.append(
            CanvasRow(
                ids=(*left, *[eos_id] * length, *right, *fill),
                start=n_left,
                n_tokens=length,
                n_right=len(right),
                must_start=head.encode("utf-8", "surrogatepass"),
                must_end=tail.encode("utf-8", "surrogatepass"),
            )
        )
    return CanvasPlan(
        context_ids=tuple(before[: len(before) - n_left]),
        left_ids=tuple(left),
        right_ids=tuple(after),
        rows=tuple(rows),
        head=head,
        tail=tail,
    )


def heal(prefix: str, suffix: str) -> tuple[str, str, str, str]:
    """Move both cuts to where tokens naturally end.

    Returns:
        What is left of the prefix, the word begun before the span, the word's end after the
        span, and what is left of the suffix.
    """
    # No token is as long as this, and a search through a megabyte of letters would take minutes.
    nearby = prefix[-_LONGEST_WORD:]
    match = _OPEN_WORD.search(nearby)
    head = "" if match is None or match.start() == 0 < len(prefix) - len(nearby) else match[0]
    # A word that merely follows the span is a token of its own already; only one that was also
    # begun before it is cut in the middle.
    goes_on = _WORD_GOES_ON.match(suffix[:_LONGEST_WORD]) if head.strip() else None
    tail = "" if goes_on is None or goes_on.end() == _LONGEST_WORD else goes_on[0]
    return prefix[: len(prefix) - len(head)], head, tail, suffix[len(tail) :]


def _shorten_head(kept: str, head: str, tokenizer: Tokenizer) -> tuple[str, str]:
    """Leave as much of a begun word to the span as one token can begin with.

    A word of several tokens, half typed: all but the last of them are clamped.
    """
    if not head or tokenizer.has_token_starting_with(head.encode("utf-8", "surrogatepass")):
        return kept, head
    last = tokenizer.decode(tokenizer.encode(head)[-1:])
    if not head.endswith(last):  # half a character: nothing can be healed
        return kept + head, ""
    return kept + head[: len(head) - len(last)], last


def _first_ids(text: str, n_tokens: int, tokenizer: Tokenizer) -> list[int]:
    """The first ids of a text; fewer than ``n_tokens`` only if it has no more."""
    n_chars = n_tokens * _CHARS_PER_TOKEN
    while len(ids := tokenizer.encode(text[:n_chars])) <= n_tokens and n_chars < len(text):
        n_chars *= 4  # long tokens: rulers, deep indentation
    return ids[:n_tokens]


def _context_ids(
    text: str, tokenizer: Tokenizer, settings: InfillSettings, bos_id: int
) -> list[int]:
    """Ids of the last lines that fit the budget, with ``<bos>`` where the document begins."""
    budget = settings.context_tokens + settings.left_tokens
    start = _window_start(text, budget * _CHARS_PER_TOKEN)
    ids = tokenizer.encode(text[start:])
    ids = [bos_id, *ids] if start == 0 else ids
    # Rare: dense text. Cutting in whole steps keeps the start still while a few tokens are typed.
    if len(ids) > budget:
        step = max(1, settings.context_tokens // 4)
        excess = -(-(len(ids) - budget) // step) * step
        ids = ids[excess:]
    return ids


def _window_start(text: str, max_chars: int) -> int:
    """Offset of the first line to read, chosen so that typing hardly ever moves it.

    Of the lines that leave at least half of the budget, the one whose number divides by the
    highest power of two: it stays the choice until it falls out of the window. Where there is no
    such line, the first character that fits.
    """
    if len(text) <= max_chars:
        return 0
    earliest, latest = len(text) - max_chars, len(text) - max_chars // 2
    line_no = text.count("\n", 0, earliest)
    best, best_power, start = earliest, 0, earliest
    while 0 < (start := text.find("\n", start) + 1) <= latest:
        line_no += 1
        power = line_no & -line_no
        if power > best_power:
            best, best_power = start, power
    return best


def _clamps(settings: InfillSettings, canvas_length: int) -> tuple[int, int]:
    """Clamped tokens on either side: the settings', or a quarter of a very short canvas each."""
    most = min(MAX_CANVAS_TOKENS, canvas_length) // 4
    return min(settings.left_tokens, most), min(settings.right_tokens, most)


def _canvas_tokens(
    n_left: int, longest_span: int, settings: InfillSettings, canvas_length: int
) -> int:
    """Canvas length: the usual one, or longer where the span asks for it."""
    needed = n_left + longest_span + _clamps(settings, canvas_length)[1]
    rounded = -(-needed // _CANVAS_STEP) * _CANVAS_STEP
    limit = min(MAX_CANVAS_TOKENS, canvas_length)
    return min(limit, max(settings.canvas_tokens, rounded))
