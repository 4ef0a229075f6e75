"""One infill request from texts to ranked candidates: plan, propose, judge, check.

Three proposers, one judge. Copies from the document and causal continuations are drafts: they come
first, and the judge's best of them tell which span lengths are worth a canvas to denoise, and what
else than noise to start from. What may not be shown is repaired or passed over.
"""

import time
from collections.abc import Sequence
from functools import cached_property

from dgemma_engine.infill.batch import batch_of, texts_at_steps
from dgemma_engine.infill.drafts import (
    bridges,
    causal_paths,
    continuations,
    copies,
    earlier_suggestions,
)
from dgemma_engine.infill.fill import fill_rows
from dgemma_engine.infill.free import free_draft
from dgemma_engine.infill.judging import judged, with_scores
from dgemma_engine.infill.lengths import rank_lengths
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import CanvasPlan
from dgemma_engine.infill.proposals import (
    Free,
    Proposal,
    Scored,
    best_first,
    is_certain,
    own_word,
    to_candidate,
)
from dgemma_engine.infill.request import InfillRequest
from dgemma_engine.infill.showing import fit_to_show
from dgemma_engine.infill.slots import OpenSlot
from dgemma_engine.infill.surroundings import Surroundings
from dgemma_engine.infill.which_lengths import (
    lengths_of_drafts,
    lengths_to_refine,
    lengths_to_try,
)
from dgemma_engine.model.branches import Branches
from dgemma_engine.types import InfillResult, Origin, StopReason


def infill(parts: Parts, request: InfillRequest) -> InfillResult:
    """Fill one gap.

    Raises:
        RequestError: a length is out of range.
    """
    return _Run(parts, request).result()


class _Run:
    """One request on its way."""

    def __init__(self, parts: Parts, request: InfillRequest) -> None:
        self.started = time.perf_counter()
        self.parts, self.request = parts, request
        self.around = Surroundings(request.prefix, request.suffix, parts)
        self.blend = self.around.blend()
        self.slot = self._open_slot()
        self.plan = self._plan(self._lengths_to_try())
        self.scored: list[Scored] = []
        self.stop = request.cancel.stop_reason() or StopReason.MAX_STEPS
        self.forwards = self.token_forwards = 0

    @cached_property
    def branches(self) -> Branches:
        """What is read after the known text, by search and judge alike."""
        return self.parts.branches(self.plan)

    def result(self) -> InfillResult:
        """Propose, judge, check."""
        proposers, cancel = self.request.proposers, self.request.cancel
        copied = self._copies() if Origin.COPIED in proposers else []
        if certain := [copy for copy in copied if is_certain(copy)]:
            # In the order in which they come; nothing was read, so there is no score to tell.
            self.stop = StopReason.STABLE
            self.scored = with_scores(
                self.parts, self.plan, certain, [-float(n) for n in range(len(certain))]
            )
        else:
            drafts: list[Proposal] = [*copied]
            if Origin.EARLIER in proposers:
                drafts += earlier_suggestions(self.parts, self.request, self.around)
            if {Origin.CONTINUED, Origin.BRIDGED}.intersection(proposers):
                drafts += self._searched()
            if Origin.DENOISED in proposers and self._writes_freely():
                drafts += self._free_draft()
            if not cancel.cancelled:
                self.scored = self._judged(drafts)
            if Origin.DENOISED in proposers and not cancel.cancelled and not self._is_sure():
                self._denoise()
        shown = fit_to_show(
            self.parts,
            self.plan,
            self._best_first(),
            self.request.check,
            around=(self.request.prefix, self.request.suffix),
            n_wanted=self.request.n_candidates,
            single_line=not self.request.multiline,
            seed=self.request.seed,
            cancel=cancel,
            slot=self.slot,
        )
        self.forwards += shown.forwards
        self.token_forwards += shown.token_forwards
        if cancel.cancelled:
            self.stop = StopReason.CANCELLED
        return InfillResult(
            candidates=() if cancel.cancelled else tuple(map(to_candidate, shown.scored)),
            stop=self.stop,
            forwards=self.forwards,
            milliseconds=(time.perf_counter() - self.started) * 1000,
            n_refused=shown.n_refused,
            token_forwards=self.token_forwards,
        )

    def _open_slot(self) -> OpenSlot | None:
        slot, table = self.request.slot, self.parts.tokenizer.token_bytes
        if slot is None:
            return None
        prefix, suffix = self.request.prefix, self.request.suffix
        return OpenSlot(slot, prefix, suffix, head=self.around.head, token_bytes=table)

    def _copies(self) -> list[Proposal]:
        found = copies(self.parts, self.request, self.around)
        return self.slot.fitting(found) if self.slot else [*found]

    def _searched(self) -> list[Proposal]:
        """What the causal search finds, as it is and with endings from the document."""
        parts, request, around, plan = self.parts, self.request, self.around, self.plan
        may_go_on = self.slot.may_go_on if self.slot else None
        paths = causal_paths(
            parts, request, around, plan, self.blend, self.branches, may_go_on=may_go_on
        )
        found: list[Proposal] = []
        if Origin.CONTINUED in request.proposers:
            found += continuations(request, paths)
        if Origin.BRIDGED in request.proposers:
            found += bridges(parts, request, around, plan, self.branches, paths)
        return found

    def _plan(self, lengths: tuple[int, ...]) -> CanvasPlan:
        request = self.request
        return self.parts.plan(request.prefix, request.suffix, lengths, context=request.context)

    def _lengths_to_try(self) -> tuple[int, ...]:
        if self.request.lengths is not None:
            return self.request.lengths
        return lengths_to_try(
            multiline=self.request.multiline,
            has_begun=bool(self.around.head),
            longest=self.parts.max_span_tokens,
        )

    def _writes_freely(self) -> bool:
        """Whether the span may be long and the prompt shows what comes after it."""
        return self.request.multiline and self.request.lengths is None and self.plan.shows_suffix

    def _free_draft(self) -> list[Proposal]:
        draft = free_draft(
            self.parts,
            self.parts.prefixes.encode(self.plan.context_ids).kv,
            self.plan,
            single_line=False,
            n_steps=self.request.n_steps,
            seed=self.request.seed,
            cancel=self.request.cancel,
        )
        self.forwards += draft.forwards
        self.token_forwards += draft.token_forwards
        return [Free(ids=draft.ids)] if draft.ids else []

    def _is_sure(self) -> bool:
        """Whether the judge likes one draft so much better that canvases are not worth it.

        Never where the length is told: of one length a canvas is cheap, and right more often.
        """
        lead, ranked = self.parts.settings.sure_lead, self._best_first()
        if not lead or not ranked or self.request.lengths is not None:
            return False
        return len(ranked) == 1 or ranked[0].score - ranked[1].score >= lead

    def _denoise(self) -> None:
        """Denoise canvases of the likeliest lengths, then perhaps of their neighbours."""
        if self.request.lengths is not None:
            self._denoise_rows(self.plan)
            return
        tried = self._likely_lengths()
        self.plan = self._plan(tried)
        self._denoise_rows(self.plan)
        if self.request.cancel.stop_reason() is not None:
            return
        radius, longest = self.parts.settings.refine_radius, self.parts.max_span_tokens
        if more := lengths_to_refine(self.scored, tried, radius=radius, longest=longest):
            self._denoise_rows(self._plan(more))

    def _denoise_rows(self, plan: CanvasPlan) -> None:
        """Denoise canvases as one batch and judge what comes of them."""
        request, parts = self.request, self.parts
        plan = batch_of(
            plan,
            [one.proposal.ids for one in self._best_first()],
            n_canvases=parts.settings.n_canvases,
            n_warm=parts.settings.warm_drafts,
            most=request.max_canvases,
        )
        takes = self.slot.takes if self.slot else bool
        listener = request.on_step
        filled = fill_rows(
            parts.model,
            parts.prefixes.encode(plan.context_ids).kv,
            plan,
            parts.rules,
            single_line=not request.multiline,
            n_steps=request.n_steps,
            seed=request.seed,
            config=parts.config,
            settings=parts.settings,
            cancel=request.cancel,
            on_step=None if listener is None else texts_at_steps(listener, parts, plan, takes),
            machine=None if self.slot is None else self.slot.machine,
        )
        self.stop = filled.stop
        self.forwards += filled.forwards
        self.token_forwards += filled.token_forwards
        if self.stop is not StopReason.DEADLINE:
            self.scored += self._judged(filled.rows)
        elif not self.scored:  # no time for a judge, so the denoiser's own word counts
            scores = [row.confidence for row in filled.rows]
            self.scored = with_scores(parts, self.plan, filled.rows, scores)

    def _likely_lengths(self) -> tuple[int, ...]:
        """Lengths at which a canvas is worth its time: the best drafts', or the model's choice."""
        settings, longest = self.parts.settings, self.parts.max_span_tokens
        n_lengths, n_draws = settings.n_lengths, settings.length_draws
        if likely := lengths_of_drafts(self._best_first(), longest=longest)[:n_lengths]:
            return likely
        if not n_draws:
            return self._lengths_to_try()
        scores = rank_lengths(
            self.parts.model,
            self.parts.prefixes.encode(self.plan.context_ids).kv,
            self.plan,
            self.parts.rules,
            single_line=not self.request.multiline,
            n_draws=n_draws,
            seed=self.request.seed,
            settings=settings,
        )
        self.forwards += 1
        self.token_forwards += n_draws * sum(len(row.ids) for row in self.plan.rows)
        by_score = sorted(zip(scores, self.plan.rows, strict=True), key=lambda pair: -pair[0])
        lengths = dict.fromkeys(len(row.given) + row.n_tokens for _, row in by_score)
        return tuple(lengths)[:n_lengths]

    def _best_first(self) -> list[Scored]:
        return best_first(self.scored, (self.request.prefix, self.request.suffix))

    def _judged(self, proposals: Sequence[Proposal]) -> list[Scored]:
        proposals = self.slot.fitting(proposals) if self.slot else proposals
        if not self.parts.settings.judges:
            return with_scores(self.parts, self.plan, proposals, list(map(own_word, proposals)))
        return judged(self.parts, self.plan, proposals, self.blend, self.branches)
