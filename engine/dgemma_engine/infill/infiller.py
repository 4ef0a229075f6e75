"""One infill request from texts to ranked candidates: plan, propose, judge.

Three proposers, one judge. Copies from the document and causal continuations are drafts: they come
first, and the judge's best of them tell which span lengths are worth a canvas to denoise.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.causal import Continuation, propose_continuations
from dgemma_engine.infill.copy import Copy, propose_copies
from dgemma_engine.infill.document import Blend, DocumentModel
from dgemma_engine.infill.fill import FilledRow, fill_rows
from dgemma_engine.infill.planner import CanvasPlan, heal, max_span_tokens, plan_canvases
from dgemma_engine.infill.select import judge, read_together
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.prefix_cache import PrefixCacheStore
from dgemma_engine.tokenizer import Tokenizer
from dgemma_engine.types import CancelToken, Candidate, InfillResult, Origin, StopReason

DEFAULT_LENGTHS = (1, 2, 3, 4, 6, 8, 12)
"""Span lengths tried when the caller names none: most rests of lines are this short."""

_N_PATHS = 6
_N_COPIES = 3
_DRAFT_MAX_TOKENS = 24  # 99 % of all rests of lines
_CHARS_BEFORE, _CHARS_AFTER = 24_000, 8_000
"""What is searched and counted: some 8,000 tokens, beyond which recent text is better anyway."""

_CERTAIN_MATCH, _CERTAIN_RIGHT = 21, 5
"""Tokens that agree around a copy from which on it answers at once."""

_N_LENGTHS = 3
"""Lengths to denoise when drafts show which are likely."""

_N_CANVASES = 4
"""Canvases to fill at once, where there are not more lengths to try."""

Proposal = FilledRow | Copy | Continuation


class Infiller:
    """Fills gaps with one model; belongs to the thread that runs it."""

    def __init__(
        self,
        model: Transformer,
        prefixes: PrefixCacheStore,
        tokenizer: Tokenizer,
        *,
        config: GenerationConfig,
        settings: InfillSettings,
    ) -> None:
        """Take the parts of an engine."""
        self._model, self._prefixes, self._tokenizer = model, prefixes, tokenizer
        self._config, self._settings = config, settings
        device = model.embed_tokens.weight.device
        self._rules = TokenRules(tokenizer, model.config.vocab_size, device)

    def run(
        self,
        prefix: str,
        suffix: str,
        *,
        lengths: Sequence[int] | None,
        multiline: bool,
        n_candidates: int,
        n_steps: int,
        seed: int,
        proposers: Collection[Origin],
        cancel: CancelToken,
        on_step: Callable[[int], None] | None,
    ) -> InfillResult:
        """Fill one gap; arguments and result as in ``Engine.infill``."""
        started = time.perf_counter()
        default = self._default_lengths(prefix)
        plan = self._plan(prefix, suffix, default if lengths is None else lengths)
        around = _Surroundings(prefix, suffix, self._tokenizer)
        blend = self._blend(around)
        stop, forwards = cancel.stop_reason() or StopReason.MAX_STEPS, 0
        ranked: list[tuple[Proposal, float]] = []
        drafts: list[Proposal] = []
        if Origin.COPIED in proposers:
            drafts += self._copies(around, lengths, multiline=multiline)
        if certain := [draft for draft in drafts if _is_certain(draft)]:
            # In the order in which they come; nothing was read, so there is no score to tell.
            stop = StopReason.STABLE
            ranked = [(draft, -float(place)) for place, draft in enumerate(certain)]
        else:
            if Origin.CONTINUED in proposers:
                drafts += self._continuations(plan, blend, lengths, multiline, cancel)
            if not cancel.cancelled:
                ranked = self._judged(plan, blend, drafts)
            if Origin.DENOISED in proposers and not cancel.cancelled:
                if lengths is None and (likely := self._likely_lengths(ranked)):
                    plan = self._plan(prefix, suffix, likely)
                filled = fill_rows(
                    self._model,
                    self._prefixes.encode(plan.context_ids).kv,
                    _with_more_draws(plan),
                    self._rules,
                    single_line=not multiline,
                    n_steps=n_steps,
                    seed=seed,
                    config=self._config,
                    settings=self._settings,
                    cancel=cancel,
                    on_step=on_step,
                )
                stop, forwards = filled.stop, filled.forwards
                if stop is not StopReason.DEADLINE:
                    ranked += self._judged(plan, blend, filled.rows)
                elif not ranked:  # no time for a judge, so the denoiser's own word counts
                    ranked = [(row, row.confidence) for row in filled.rows]
        if cancel.cancelled:
            stop, ranked = StopReason.CANCELLED, []
        return InfillResult(
            candidates=self._candidates(plan, ranked)[:n_candidates],
            stop=stop,
            forwards=forwards,
            milliseconds=(time.perf_counter() - started) * 1000,
        )

    def _plan(self, prefix: str, suffix: str, lengths: Sequence[int]) -> CanvasPlan:
        model_config = self._model.config
        return plan_canvases(
            prefix,
            suffix,
            lengths,
            self._tokenizer,
            self._settings,
            bos_id=model_config.bos_token_id,
            eos_id=model_config.eos_token_ids[0],
            canvas_length=model_config.canvas_length,
        )

    def _judged(
        self, plan: CanvasPlan, blend: Blend | None, proposals: Sequence[Proposal]
    ) -> list[tuple[Proposal, float]]:
        """Score all proposals; those of one text are read once."""
        *before, last_id = plan.known_ids or (None,)
        if last_id is None:  # nothing before the gap, so no row predicts its first token
            return [(p, p.confidence) for p in proposals if isinstance(p, FilledRow)]
        texts = [_between(self._tokenizer.decode_bytes(p.ids), plan) for p in proposals]
        distinct = [text for text in dict.fromkeys(texts) if text]
        if not distinct:
            return []
        scores = judge(
            self._model,
            self._prefixes.encode(before).kv,
            last_id,
            [read_together(plan.head + text, plan.right_ids, self._tokenizer) for text in distinct],
            blend,
            self._last_known(plan),
        )
        by_text = dict(zip(distinct, scores, strict=True))
        return [
            (proposal, by_text[text])
            for proposal, text in zip(proposals, texts, strict=True)
            if text
        ]

    def _continuations(
        self,
        plan: CanvasPlan,
        blend: Blend | None,
        lengths: Sequence[int] | None,
        multiline: bool,
        cancel: CancelToken,
    ) -> list[Continuation]:
        """How the prefix goes on."""
        n_tokens = self._settings.causal_tokens
        if lengths is not None and n_tokens:  # told, so that paths go as far as they must
            n_tokens = min(_DRAFT_MAX_TOKENS, max(lengths))
        *before, last_id = plan.known_ids or (None,)
        if last_id is None or not n_tokens:
            return []
        continuations = propose_continuations(
            self._model,
            self._prefixes.encode(before).kv,
            last_id,
            self._rules,
            must_start=plan.head.encode("utf-8", "surrogatepass"),
            single_line=not multiline,
            n_paths=_N_PATHS,
            n_tokens=n_tokens,
            cancel=cancel,
            blend=blend,
            before=self._last_known(plan),
        )
        return [c for c in continuations if lengths is None or len(c.ids) in lengths]

    def _last_known(self, plan: CanvasPlan) -> tuple[int, ...]:
        """As many tokens before the gap as the document's statistics look at."""
        return plan.known_ids[-max(1, len(self._settings.document_weights)) :]

    def _blend(self, around: "_Surroundings") -> Blend | None:
        """The document's own statistics, where the checkpoint wants them."""
        weights = self._settings.document_weights
        if not weights:
            return None
        document = DocumentModel(
            (around.before, around.after),
            vocab_size=self._model.config.vocab_size,
            n_context=len(weights) - 1,
        )
        return Blend(document=document, weights=weights)

    def _copies(
        self, around: "_Surroundings", lengths: Sequence[int] | None, *, multiline: bool
    ) -> list[Copy]:
        """What the document itself proposes."""

        def accept(ids: Sequence[int]) -> bool:
            text = self._tokenizer.decode_bytes(ids)
            return text.startswith(around.head) and (multiline or not set(text) & set(b"\r\n"))

        return propose_copies(
            around.before,
            around.after,
            lengths=range(1, _DRAFT_MAX_TOKENS + 1) if lengths is None else lengths,
            n_proposals=_N_COPIES,
            accept=accept,
        )

    def _candidates(
        self, plan: CanvasPlan, ranked: Sequence[tuple[Proposal, float]]
    ) -> tuple[Candidate, ...]:
        """Texts by falling score, shorter first among equals; known text is cut off."""
        best: dict[str, Candidate] = {}
        for proposal, score in sorted(ranked, key=lambda pair: (-pair[1], len(pair[0].ids))):
            text = _between(self._tokenizer.decode_bytes(proposal.ids), plan)
            if text and text not in best:
                best[text] = Candidate(
                    text=text,
                    score=score,
                    forwards=proposal.forwards if isinstance(proposal, FilledRow) else 0,
                    n_tokens=len(proposal.ids),
                    origin=_origin(proposal),
                )
        return tuple(best.values())

    def _default_lengths(self, prefix: str) -> tuple[int, ...]:
        """Lengths to try; where a token was begun before the gap, it counts as well."""
        longest = max_span_tokens(self._settings, self._model.config.canvas_length)
        _, head = heal(prefix, self._tokenizer)
        lengths = (1, *(n + 1 for n in DEFAULT_LENGTHS)) if head else DEFAULT_LENGTHS
        return tuple(n for n in lengths if n <= longest)

    def _likely_lengths(self, ranked: Sequence[tuple[Proposal, float]]) -> tuple[int, ...]:
        """Token counts of the best drafts: lengths at which a canvas is worth its time."""
        longest = max_span_tokens(self._settings, self._model.config.canvas_length)
        by_score = sorted(ranked, key=lambda pair: -pair[1])
        lengths = dict.fromkeys(
            len(draft.ids) for draft, _ in by_score if len(draft.ids) <= longest
        )
        return tuple(lengths)[:_N_LENGTHS]


class _Surroundings:
    """The document around a gap as far as it is searched, in tokens.

    Attributes:
        before: tokens before the gap, nearest last.
        after: tokens after it, nearest first.
        head: UTF-8 bytes of what was begun before the gap, which a fill must begin with.
    """

    def __init__(self, prefix: str, suffix: str, tokenizer: Tokenizer) -> None:
        kept, head = heal(prefix, tokenizer)
        self.before = tokenizer.encode(kept[-_CHARS_BEFORE:])
        self.after = tokenizer.encode(suffix[:_CHARS_AFTER])
        self.head = head.encode("utf-8", "surrogatepass")


def _with_more_draws(plan: CanvasPlan) -> CanvasPlan:
    """Repeat the canvases where there are few: other noise leads to other fills."""
    return replace(plan, rows=plan.rows * max(1, _N_CANVASES // len(plan.rows)))


def _is_certain(proposal: Proposal) -> bool:
    """Whether a copy's surroundings speak so clearly that nothing else need be asked."""
    return isinstance(proposal, Copy) and (
        proposal.n_left + proposal.n_right >= _CERTAIN_MATCH and proposal.n_right >= _CERTAIN_RIGHT
    )


def _origin(proposal: Proposal) -> Origin:
    match proposal:
        case FilledRow():
            return Origin.DENOISED
        case Copy():
            return Origin.COPIED
        case Continuation():
            return Origin.CONTINUED


def _between(filled: bytes, plan: CanvasPlan) -> str | None:
    """Cut the known head off a filled span; ``None`` if it is not there.

    ``None`` as well for bytes that are no text: half a character cannot be shown.
    """
    head = plan.head.encode("utf-8", "surrogatepass")
    if not filled.startswith(head):
        return None
    try:
        return filled[len(head) :].decode()
    except UnicodeDecodeError:
        return None
