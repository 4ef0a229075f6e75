"""One infill request from texts to ranked candidates: plan, propose, judge.

Three proposers, one judge: denoised canvases, copies from the document, causal continuations.
"""

import time
from collections.abc import Callable, Collection, Sequence

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.causal import Continuation, propose_continuations
from dgemma_engine.infill.copy import Copy, propose_copies
from dgemma_engine.infill.fill import Filled, FilledRow, fill_rows
from dgemma_engine.infill.planner import CanvasPlan, heal, max_span_tokens, plan_canvases
from dgemma_engine.infill.select import judge
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
_COPY_MAX_TOKENS = 24  # 99 % of all rests of lines
_COPY_CHARS_BEFORE, _COPY_CHARS_AFTER = 24_000, 8_000
"""Where copies are looked for: some 8,000 tokens, beyond which recent text is better anyway."""

_NATS_PER_MATCHED_TOKEN = 1.0
"""What a copy's surroundings speak for it, per token that equals the gap's; the judge sees none of
that. Fitted on 200 gaps outside corpus and hold-out, where 0.75 to 1.25 did equally well."""

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
        model_config = self._model.config
        plan = plan_canvases(
            prefix,
            suffix,
            self._default_lengths() if lengths is None else lengths,
            self._tokenizer,
            self._settings,
            bos_id=model_config.bos_token_id,
            eos_id=model_config.eos_token_ids[0],
            canvas_length=model_config.canvas_length,
        )
        filled = Filled(rows=(), stop=cancel.stop_reason() or StopReason.MAX_STEPS, forwards=0)
        if Origin.DENOISED in proposers:
            filled = fill_rows(
                self._model,
                self._prefixes.encode(plan.context_ids).kv,
                plan,
                self._rules,
                single_line=not multiline,
                n_steps=n_steps,
                seed=seed,
                config=self._config,
                settings=self._settings,
                cancel=cancel,
                on_step=on_step,
            )
        stop = filled.stop
        ranked: list[tuple[Proposal, float]] = []
        if stop is StopReason.DEADLINE:
            # Past the deadline there is no time for a judge; the denoiser's own word counts.
            ranked = [(row, row.confidence) for row in filled.rows]
        elif stop is not StopReason.CANCELLED:
            proposals: list[Proposal] = list(filled.rows)
            if Origin.COPIED in proposers:
                proposals += self._copies(prefix, suffix, lengths, multiline=multiline)
            if Origin.CONTINUED in proposers:
                proposals += self._continuations(plan, lengths, multiline, cancel)
            ranked = self._judged(plan, proposals)
        if cancel.cancelled:
            stop, ranked = StopReason.CANCELLED, []
        return InfillResult(
            candidates=self._candidates(plan, ranked)[:n_candidates],
            stop=stop,
            forwards=filled.forwards,
            milliseconds=(time.perf_counter() - started) * 1000,
        )

    def _judged(
        self, plan: CanvasPlan, proposals: Sequence[Proposal]
    ) -> list[tuple[Proposal, float]]:
        """Score all proposals."""
        *before, last_id = plan.known_ids or (None,)
        if last_id is None:  # nothing before the gap, so no row predicts its first token
            return [(p, p.confidence) for p in proposals if isinstance(p, FilledRow)]
        if not proposals:
            return []
        kv = self._prefixes.encode(before).kv
        ids = [proposal.ids for proposal in proposals]
        scores = judge(self._model, kv, last_id, ids, plan.right_ids)
        return [
            (proposal, score + _evidence(proposal))
            for proposal, score in zip(proposals, scores, strict=True)
        ]

    def _continuations(
        self,
        plan: CanvasPlan,
        lengths: Sequence[int] | None,
        multiline: bool,
        cancel: CancelToken,
    ) -> list[Continuation]:
        """How the prefix goes on."""
        n_tokens = min(self._settings.causal_tokens, max(lengths or (_COPY_MAX_TOKENS,)))
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
        )
        return [c for c in continuations if lengths is None or len(c.ids) in lengths]

    def _copies(
        self, prefix: str, suffix: str, lengths: Sequence[int] | None, *, multiline: bool
    ) -> list[Copy]:
        """What the document itself proposes."""
        kept, head, tail, rest = heal(prefix, suffix)
        known = (head.encode("utf-8", "surrogatepass"), tail.encode("utf-8", "surrogatepass"))

        def accept(ids: Sequence[int]) -> bool:
            text = self._tokenizer.decode_bytes(ids)
            fits = text.startswith(known[0]) and text.endswith(known[1])
            return fits and (multiline or not set(text) & set(b"\r\n"))

        return propose_copies(
            self._tokenizer.encode(kept[-_COPY_CHARS_BEFORE:]),
            self._tokenizer.encode(rest[:_COPY_CHARS_AFTER]),
            lengths=range(1, _COPY_MAX_TOKENS + 1) if lengths is None else lengths,
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

    def _default_lengths(self) -> tuple[int, ...]:
        longest = max_span_tokens(self._settings, self._model.config.canvas_length)
        return tuple(n for n in DEFAULT_LENGTHS if n <= longest)


def _evidence(proposal: Proposal) -> float:
    """What speaks for a proposal beside its text, in nats."""
    if isinstance(proposal, Copy):
        return _NATS_PER_MATCHED_TOKEN * (proposal.n_left + proposal.n_right)
    return 0.0


def _origin(proposal: Proposal) -> Origin:
    match proposal:
        case FilledRow():
            return Origin.DENOISED
        case Copy():
            return Origin.COPIED
        case Continuation():
            return Origin.CONTINUED


def _between(filled: bytes, plan: CanvasPlan) -> str | None:
    """Cut the known head and tail off a filled span; ``None`` if they are not there.

    ``None`` as well for bytes that are no text: half a character cannot be shown.
    """
    head = plan.head.encode("utf-8", "surrogatepass")
    tail = plan.tail.encode("utf-8", "surrogatepass")
    if len(filled) < len(head) + len(tail):
        return None
    if not (filled.startswith(head) and filled.endswith(tail)):
        return None
    try:
        return filled[len(head) : len(filled) - len(tail)].decode()
    except UnicodeDecodeError:
        return None
