"""Where the document stands in front of the canvas: as it is, or in a turn of a chat. Pure.

*Plain*: the text before the gap, as a model reads it that was trained on documents.

*Chat*: the released checkpoints are tuned on conversations. A user turn shows the text after the
gap, then the text before it (what changes while one types comes last, so that most of the prompt
stays encoded), and asks for what is missing; the model's turn is opened with an empty thought,
which it would otherwise begin with in the canvas, and with the last lines before the gap. Turn
markers are looked up by name; document text never becomes one, as it is encoded without special
tokens.

Either may have a text of elsewhere before all of the document, such as what other files say: at
most half of what the encoder may read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.tokenizer import Tokenizer

CHARS_PER_TOKEN = 6
"""Generous: more text than a token budget can hold."""

_ANSWER_CHARS = 400
"""At most this much of the text before the gap opens the model's turn, from the start of a line."""

_TURN = "<|turn>"

_FILL = "Write the code or text that is missing between the two parts of this document."
_REWRITE = "Rewrite the passage between the two parts of this document."


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model that follows instructions is told besides the document.

    Attributes:
        instruction: the user's words; empty for a plain fill.
        passage: the text that is to be rewritten; empty for a gap.
    """

    instruction: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Tokens around the canvas.

    Attributes:
        before: what the encoder reads and the canvas begins with, in one.
        n_clampable: how many of the last of them may stand in the canvas.
        end: what follows the end of the document in the canvas.
        shows_suffix: whether the text after the gap is among what comes before.
    """

    before: tuple[int, ...]
    n_clampable: int
    end: tuple[int, ...]
    shows_suffix: bool


def lay_out(
    kept: str,
    suffix: str,
    tokenizer: Tokenizer,
    settings: InfillSettings,
    *,
    bos_id: int,
    prompt: Prompt | None = None,
    context: str = "",
) -> Layout:
    """Lay out the text around a gap as the checkpoint wants it.

    Args:
        kept: the text before the span, as far as nothing of it is to be completed.
        suffix: all text after it.
        tokenizer: of the checkpoint.
        settings: of the checkpoint.
        bos_id: begins a document.
        prompt: of the request; the plain layout has no place for an instruction.
        context: text of elsewhere to stand before the document; of a long one the last lines.

    Raises:
        RequestError: there is an instruction and the checkpoint follows none.
        TokenizerError: the chat layout is wanted of a tokenizer without turn markers.
    """
    prompt = prompt or Prompt()
    has_turns = settings.layout == "auto" and tokenizer.has_token(_TURN)
    if settings.layout == "chat" or has_turns:
        return _chat(kept, suffix, tokenizer, settings, bos_id, prompt, context)
    if prompt.instruction:
        raise RequestError("this model follows no instructions; leave the instruction out")
    elsewhere = _context_ids(context, tokenizer, settings)
    if elsewhere:
        elsewhere = [bos_id, *elsewhere]
    budget = settings.context_tokens + settings.left_tokens - len(elsewhere)
    # A document begins with <bos>, unless something stands before it.
    own = _last_ids(kept, budget, tokenizer, settings, first=[] if elsewhere else [bos_id])
    return Layout(before=(*elsewhere, *own), n_clampable=len(own), end=(), shows_suffix=False)


def _context_ids(context: str, tokenizer: Tokenizer, settings: InfillSettings) -> list[int]:
    return _last_ids(context, settings.context_tokens // 2, tokenizer, settings)


def _last_ids(
    text: str,
    budget: int,
    tokenizer: Tokenizer,
    settings: InfillSettings,
    *,
    first: Sequence[int] = (),
) -> list[int]:
    """Ids of the last lines that fit the budget, after ``first`` where that is all of the text."""
    start = _window_start(text, budget * CHARS_PER_TOKEN)
    ids = tokenizer.encode(text[start:])
    return _cut_in_steps(ids if start else [*first, *ids], budget, settings)


def _chat(
    kept: str,
    suffix: str,
    tokenizer: Tokenizer,
    settings: InfillSettings,
    bos_id: int,
    prompt: Prompt,
    context: str,
) -> Layout:
    turn, end_turn, channel, end_channel = (
        tokenizer.token_id(name) for name in (_TURN, "<turn|>", "<|channel>", "<channel|>")
    )
    encode = tokenizer.encode
    after_budget = settings.context_tokens // 4
    after = encode(suffix[: after_budget * CHARS_PER_TOKEN])[:after_budget]
    elsewhere = _context_ids(context, tokenizer, settings)
    before_budget = settings.context_tokens - len(after) - len(elsewhere)
    before = _last_ids(kept, before_budget, tokenizer, settings)
    task = prompt.instruction or (_REWRITE if prompt.passage else _FILL)
    passage = f"\nThe passage:\n```\n{prompt.passage}\n```\n" if prompt.passage else "\n"
    opening = f"user\n{task} Answer with nothing else.\n"
    user = [
        *_opening(opening, elsewhere, tokenizer),
        *after,
        *encode(f"\n```{passage}The part before it:\n```\n"),
        *before,
        *encode("\n```"),
    ]
    answer = encode(kept[_answer_start(kept) :])
    return Layout(
        before=(
            bos_id,
            turn,
            *user,
            end_turn,
            *encode("\n"),
            turn,
            *encode("model\n"),
            channel,
            *encode("thought\n"),
            end_channel,
            *encode("```\n"),
            *answer,
        ),
        n_clampable=len(answer),
        end=(end_turn,),
        shows_suffix=True,
    )


def _opening(opening: str, elsewhere: Sequence[int], tokenizer: Tokenizer) -> list[int]:
    """What comes before the part after the gap; ``elsewhere`` in a fence of its own."""
    after = "The part after it:\n```\n"
    if not elsewhere:
        return tokenizer.encode(opening + after)
    fenced = tokenizer.encode(f"{opening}From elsewhere in the project:\n```\n")
    return [*fenced, *elsewhere, *tokenizer.encode(f"\n```\n{after}")]


def _cut_in_steps(ids: Sequence[int], budget: int, settings: InfillSettings) -> list[int]:
    """Cut from the front in whole steps: the start stays still while a few tokens are typed."""
    if len(ids) <= budget:
        return list(ids)
    step = max(1, settings.context_tokens // 4)
    excess = -(-(len(ids) - budget) // step) * step
    return list(ids[excess:])


def _answer_start(kept: str) -> int:
    """Where the last lines before the gap begin."""
    earliest = max(0, len(kept) - _ANSWER_CHARS)
    if earliest == 0:
        return 0
    return kept.find("\n", earliest) + 1 or earliest


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
