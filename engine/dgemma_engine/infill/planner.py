"""Texts → canvases: where to cut, what to clamp, how long the span may be. Pure; no torch.

A canvas is ``[left clamp | span | right clamp | end fill]``; what comes before it is the context,
which the encoder reads. Every candidate length has its own canvas, because the model has no symbol
for "delete": positions are contiguous in each, and every canvas of a plan has the same length.

*Token healing*: text cut in the middle of a token is tokenised as it never was in training. So the
cut before the span moves to a safe boundary: the word, space or punctuation begun there becomes
part of the span, whose first token must begin with it. Bytes outside the span are never taken from
the model: the plan remembers how much of the filled text is known. Punctuation is more often
complete than not, and a word may be: a canvas that clamps it as it is has one token less to guess.
So punctuation is given, a space is healed, and of a word both are tried.

After the span nothing is moved: a word that goes on there would have to be filled again, which
costs more right answers than it brings; instead the judge reads every candidate tokenised together
with what follows.
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

# What a token may be the beginning of: a word with the space or underscores before it, the space
# alone (a space belongs to the word after it), or punctuation (``(`` may become ``("``).
_OPEN_TOKEN = re.compile(r" ?_*[^\W\d_]+\Z| ?_+\Z|(?<=\S) \Z| ?[^\w\s]{1,8}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasRow:
    """One canvas.

    Attributes:
        ids: C token ids; those of the span are of no meaning, unless it is a draft.
        start: index of the span's first token.
        n_tokens: tokens of the span, at least 1.
        n_right: clamped tokens of the suffix after the span (the rest is end fill).
        must_start: bytes with which the span's first token begins.
        given: clamped tokens directly before the span that count as filled: what was begun there,
            taken as it is.
        draft: whether the span holds a draft to start from, see ``denoise.Canvases.noised``.
    """

    ids: tuple[int, ...]
    start: int
    n_tokens: int
    n_right: int
    must_start: bytes
    given: tuple[int, ...] = ()
    draft: bool = False

    @property
    def span(self) -> slice:
        """The span's positions in the canvas."""
        return slice(self.start, self.start + self.n_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanvasPlan:
    """All canvases of one request, of equal length, after one context.

    Attributes:
        context_ids: what the encoder reads.
        left_ids: the clamped tokens between the context and every span.
        right_ids: tokens of the suffix after every span.
        rows: one canvas per candidate length.
        head: known text at the start of every filled span, to be cut off the result.
    """

    context_ids: tuple[int, ...]
    left_ids: tuple[int, ...]
    right_ids: tuple[int, ...]
    rows: tuple[CanvasRow, ...]
    head: str

    @property
    def known_ids(self) -> tuple[int, ...]:
        """All tokens read before the span."""
        return self.context_ids + self.left_ids


def max_span_tokens(settings: InfillSettings, canvas_length: int) -> int:
    """Longest span that a canvas holds beside its clamps."""
    return min(MAX_CANVAS_TOKENS, canvas_length) - sum(_clamps(settings, canvas_length))


def span_tokens(prefix: str, text: str, tokenizer: Tokenizer) -> int:
    """Count the tokens that a span needs to hold ``text``, what was begun before it included."""
    _, head = heal(prefix, tokenizer)
    return len(tokenizer.encode(head + text))


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
    kept, head = heal(prefix, tokenizer)
    before = _context_ids(kept, tokenizer, settings, bos_id)
    n_left = min(_clamps(settings, canvas_length)[0], len(before))
    n_canvas = _canvas_tokens(n_left, max(lengths), settings, canvas_length)
    after = _first_ids(suffix, n_canvas, tokenizer)
    left = before[len(before) - n_left :]
    rows = [
        _row(left, given, length - len(given), after, must_start, n_canvas, eos_id)
        for length in dict.fromkeys(lengths)
        for given, must_start in _beginnings(head, tokenizer)
        if length > len(given)
    ]
    if not rows:  # shorter than what is begun: that may still become longer
        rows = [_row(left, (), 1, after, _utf8(head), n_canvas, eos_id)]
    return CanvasPlan(
        context_ids=tuple(before[: len(before) - n_left]),
        left_ids=tuple(left),
        right_ids=tuple(after),
        rows=tuple(rows),
        head=head,
    )


def _row(
    left: Sequence[int],
    given: tuple[int, ...],
    n_tokens: int,
    after: Sequence[int],
    must_start: bytes,
    n_canvas: int,
    eos_id: int,
) -> CanvasRow:
    n_known = len(left) + len(given)
    right = tuple(after[: n_canvas - n_known - n_tokens])
    n_fill = n_canvas - n_known - n_tokens - len(right)
    return CanvasRow(
        ids=(*left, *given, *[eos_id] * n_tokens, *right, *[eos_id] * n_fill),
        start=n_known,
        n_tokens=n_tokens,
        n_right=len(right),
        must_start=must_start,
        given=given,
    )


def _beginnings(head: str, tokenizer: Tokenizer) -> list[tuple[tuple[int, ...], bytes]]:
    """How the span may begin: clamped tokens before it, and bytes to begin its first token with."""
    healed: list[tuple[tuple[int, ...], bytes]] = [((), _utf8(head))]
    if not head or head.isspace():
        return healed
    as_it_is = [(tuple(tokenizer.encode(head)), b"")]
    return as_it_is + healed if any(char.isalnum() for char in head) else as_it_is


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def heal(prefix: str, tokenizer: Tokenizer) -> tuple[str, str]:
    """Move the cut before the span to where tokens naturally end.

    Returns:
        What is left of the prefix, and what was begun before the span: no more than one token can
        begin with. A word of several tokens, half typed, leaves only the last of them to the span.
    """
    # No token is as long as this, and a search through a megabyte of letters would take minutes.
    nearby = prefix[-_LONGEST_WORD:]
    match = _OPEN_TOKEN.search(nearby)
    head = "" if match is None or match.start() == 0 < len(prefix) - len(nearby) else match[0]
    if head and not tokenizer.has_token_starting_with(_utf8(head)):
        last = tokenizer.decode(tokenizer.encode(head)[-1:])
        head = last if head.endswith(last) else ""  # half a character: nothing can be healed
    return prefix[: len(prefix) - len(head)], head


def text_between(filled: bytes, plan: CanvasPlan) -> str | None:
    """Cut the known head off a filled span; ``None`` if it is not there.

    ``None`` as well for bytes that are no text: half a character cannot be shown.
    """
    head = _utf8(plan.head)
    if not filled.startswith(head):
        return None
    try:
        return filled[len(head) :].decode()
    except UnicodeDecodeError:
        return None


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
