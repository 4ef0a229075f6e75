"""The public face: encode, denoise, generate, infill, rewrite, read.

An engine belongs to one thread (``worker.EngineWorker`` gives it one). It knows token ids and
plain strings, nothing of documents, editors or protocols.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from dgemma_engine.config import GenerationConfig, ModelConfig
from dgemma_engine.errors import RequestError, TokenizerError
from dgemma_engine.generate import StepReport, generate
from dgemma_engine.infill.healing import span_tokens
from dgemma_engine.infill.infiller import infill
from dgemma_engine.infill.joint import JointRequest, infill_jointly
from dgemma_engine.infill.parts import Parts
from dgemma_engine.infill.planner import max_span_tokens
from dgemma_engine.infill.request import InfillRequest
from dgemma_engine.infill.rewriter import RewriteRequest, rewrite
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.memory import within_memory
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.prefix_cache import PrefixCache, PrefixCacheStore
from dgemma_engine.reading import compare, read_tokens
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer
from dgemma_engine.types import (
    CancelToken,
    Draft,
    InfillResult,
    JointResult,
    Origin,
    Place,
    Slot,
    Span,
    SpanCheck,
    TokenReading,
)

R = TypeVar("R")
T = TypeVar("T")


class Engine:
    """A loaded model with its tokenizer, settings and prefix cache."""

    def __init__(
        self,
        model: Transformer,
        generation_config: GenerationConfig,
        *,
        tokenizer: Tokenizer | None,
        infill_settings: InfillSettings,
    ) -> None:
        """Put the loaded parts together; :func:`~dgemma_engine.loading.load` is the usual way."""
        self.model = model
        self.generation_config = generation_config
        self.infill_settings = infill_settings
        self.prefixes = PrefixCacheStore(model)
        self._tokenizer = tokenizer
        self._parts: Parts | None = None

    def with_infill_settings(self, **changes: Any) -> "Engine":
        """Give an engine of the same weights that fills with other settings, for comparisons.

        What either encodes serves both.

        Args:
            changes: fields of :class:`InfillSettings`.
        """
        engine = Engine(
            self.model,
            self.generation_config,
            tokenizer=self._tokenizer,
            infill_settings=replace(self.infill_settings, **changes),
        )
        engine.prefixes = self.prefixes
        return engine

    @property
    def config(self) -> ModelConfig:
        """The model's shape."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.embed_tokens.weight.device

    @property
    def tokenizer(self) -> Tokenizer:
        """The checkpoint's tokenizer.

        Raises:
            TokenizerError: the folder has none; token ids still work.
        """
        if self._tokenizer is None:
            raise TokenizerError(
                f"the model folder has no {TOKENIZER_NAME}; text needs it, token ids do not"
            )
        return self._tokenizer

    @property
    def context_tokens(self) -> int:
        """Most tokens before the gap that :meth:`infill` has the encoder read."""
        return self.infill_settings.context_tokens

    @property
    def max_span_tokens(self) -> int:
        """Longest span that one canvas can fill."""
        return max_span_tokens(self.infill_settings, self.config.canvas_length)

    def span_tokens(self, prefix: str, text: str) -> int:
        """Count ``text`` as :meth:`infill` counts the lengths of spans after this prefix."""
        return span_tokens(prefix, text, self.tokenizer, heals=self.infill_settings.heals)

    @torch.inference_mode()
    def encode(self, token_ids: Sequence[int]) -> PrefixCache:
        """Encode a prefix, re-using what earlier calls have in common with it.

        Args:
            token_ids: ids of the whole prefix; may be empty.

        Raises:
            RequestError: an id is outside the vocabulary.
        """
        self._check_ids(token_ids)
        return self.prefixes.encode(token_ids)

    @torch.inference_mode()
    def denoise(
        self, cache: PrefixCache, canvas: Tensor, self_conditioning: Tensor | None = None
    ) -> Tensor:
        """Predict every token of canvases that follow a prefix: one decoder forward.

        Args:
            cache: from :meth:`encode`.
            canvas: int64 (B, C) ids; all B canvases follow the same prefix.
            self_conditioning: float (B, C, V), the previous step's logits divided by its
                temperature; ``None`` at the first step.

        Returns:
            float32 (B, C, V), soft-capped logits before temperature.

        Raises:
            RequestError: a shape or an id is out of range.
        """
        if canvas.ndim != 2 or 0 in canvas.shape or canvas.dtype != torch.long:
            raise RequestError(
                f"canvas must be int64 ids (B, C), is {canvas.dtype} {tuple(canvas.shape)}"
            )
        low, high = int(canvas.min()), int(canvas.max())
        self._check_ids((low, high))
        soft = None
        if self_conditioning is not None:
            expected = (*canvas.shape, self.config.vocab_size)
            if tuple(self_conditioning.shape) != expected:
                raise RequestError(
                    f"self_conditioning must be {expected}, is {tuple(self_conditioning.shape)}"
                )
            soft = self.model.soft_embed(self_conditioning.to(self.device))
        canvas = canvas.to(self.device)
        return self.model.decode(
            canvas, cache.kv.n_tokens, cache.kv.visible(), soft_embeddings=soft
        )

    @torch.inference_mode()
    def generate(
        self,
        token_ids: Sequence[int],
        *,
        max_new_tokens: int,
        steps: int = 48,
        seed: int = 0,
        on_step: Callable[[StepReport], None] | None = None,
    ) -> list[int]:
        """Continue a prefix block by block, as the reference does under the same seed.

        Args:
            token_ids: ids of the prefix.
            max_new_tokens: at least 1; rounded up to whole canvases.
            steps: denoising steps per canvas at most.
            seed: of this call's own generator.
            on_step: called after every step; what it raises ends the generation.

        Returns:
            The new ids, whole canvases; what follows an end-of-text id is padding.

        Raises:
            RequestError: an argument is out of range.
        """
        if max_new_tokens < 1 or steps < 1:
            raise RequestError(f"{max_new_tokens=} and {steps=} must be at least 1")
        _check_seed(seed)
        return generate(
            self.model,
            self.prefixes,
            self.encode(token_ids).kv,
            replace(self.generation_config, max_denoising_steps=steps),
            max_new_tokens=max_new_tokens,
            seed=seed,
            on_step=on_step,
        )

    def infill(
        self,
        prefix: str,
        suffix: str,
        *,
        context: str = "",
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int | None = None,
        seed: int = 0,
        proposers: Collection[Origin] = tuple(Origin),
        earlier: Sequence[str] = (),
        slot: Slot | None = None,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
        on_step: Callable[[Draft], None] | None = None,
    ) -> InfillResult:
        """Fill the gap between two texts.

        Args:
            prefix: all text before the span; the engine reads as much as its budget allows.
            suffix: all text after it.
            context: text of elsewhere for the encoder to read before the document, such as
                comment lines about other files; it shares the budget, and no candidate is copied
                from it.
            lengths: span lengths in tokens to try, each up to :attr:`max_span_tokens`; ``None``
                leaves them to drafts and model.
            multiline: whether the fill may contain line breaks.
            n_candidates: most candidates to return, at least 1.
            steps: denoising steps at most; ``None`` takes what suits the checkpoint.
            seed: of this request's own generator; the same call gives the same result.
            proposers: where candidates may come from; all by default.
            earlier: earlier suggestions for this gap, cut to what still fits: judged, and denoised
                from, like every draft.
            slot: what kind of text the gap takes, where that is known: only such come back.
            check: says which candidates may be shown; the others are repaired or left out.
            cancel: asked at each denoising step, may carry a deadline.
            on_step: called after each denoising step with what stands in the canvases.

        Returns:
            Distinct, non-empty candidates, best first; what the deadline left; nothing when
            cancelled.

        Raises:
            OutOfMemoryError: the device has no memory left, even for less.
            RequestError: an argument is out of range, or what stands before the gap cannot begin
                what the slot takes.
            TokenizerError: the checkpoint has no tokenizer.
        """
        n_steps = self.infill_settings.n_steps if steps is None else steps
        if n_candidates < 1 or n_steps < 1:
            raise RequestError(f"{n_candidates=} and steps={n_steps} must be at least 1")
        _check_seed(seed)
        request = InfillRequest(
            prefix=prefix,
            suffix=suffix,
            context=context,
            lengths=None if lengths is None else tuple(lengths),
            multiline=multiline,
            n_candidates=n_candidates,
            n_steps=n_steps,
            seed=seed,
            proposers=frozenset(proposers),
            earlier=tuple(earlier),
            slot=slot,
            check=check,
            cancel=cancel or CancelToken(),
            on_step=on_step,
        )
        frugal = replace(request, n_candidates=1, max_canvases=1)
        return self._within_memory(infill, request, frugal)

    def infill_jointly(
        self,
        text: str,
        spans: Sequence[Span],
        *,
        context: str = "",
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int | None = None,
        seed: int = 0,
        accept: Callable[[tuple[str, ...]], bool] | None = None,
        cancel: CancelToken | None = None,
    ) -> JointResult:
        """Fill several gaps of one text together, each seeing all others.

        Args:
            text: the whole text.
            spans: the gaps (code points), in order, not overlapping; what stands in them is
                replaced.
            context: text of elsewhere, as for :meth:`infill`.
            multiline: whether a fill may contain line breaks.
            n_candidates: most candidates to return, at least 1.
            steps: denoising steps at most; ``None`` takes what suits the checkpoint.
            seed: of this request's own generator; the same call gives the same result.
            accept: says whether texts for all gaps may be shown.
            cancel: asked at each denoising step.

        Raises:
            RequestError: an argument is out of range, or the gaps do not fit into one canvas.
            TokenizerError: the checkpoint has no tokenizer.
        """
        n_steps = self.infill_settings.n_steps if steps is None else steps
        if n_candidates < 1 or n_steps < 1:
            raise RequestError(f"{n_candidates=} and steps={n_steps} must be at least 1")
        _check_seed(seed)
        request = JointRequest(
            text=text,
            spans=tuple(spans),
            context=context,
            multiline=multiline,
            n_candidates=n_candidates,
            n_steps=n_steps,
            seed=seed,
            accept=accept,
            cancel=cancel or CancelToken(),
        )
        return self._within_memory(infill_jointly, request, replace(request, n_candidates=1))

    def rewrite(
        self,
        prefix: str,
        text: str,
        suffix: str,
        *,
        context: str = "",
        instruction: str = "",
        strength: float = 0.5,
        max_changed: int | None = None,
        n_candidates: int = 3,
        steps: int | None = None,
        seed: int = 0,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        """Rewrite the text between two others, as little or as much as ``strength`` says.

        Args:
            prefix: all text before the span.
            text: the span as it is, at most :attr:`max_span_tokens`; its number of tokens stays.
            suffix: all text after it.
            context: text of elsewhere, as for :meth:`infill`.
            instruction: what to do, in the user's words, for a model that follows instructions.
            strength: share of its tokens that are noised at first: 0.15 mends, 0.7 rewrites.
            max_changed: most tokens that may change.
            n_candidates: most candidates to return, at least 1.
            steps: denoising steps; ``None`` takes twice what suits the checkpoint for a fill.
            seed: of this request's own generator; the same call gives the same result.
            check: says which candidates may be shown; the others are repaired or left out.
            cancel: asked at each denoising step, may carry a deadline.

        Returns:
            Distinct candidates that differ from ``text``, best first.

        Raises:
            OutOfMemoryError: the device has no memory left, even for less.
            RequestError: an argument is out of range.
            TokenizerError: the checkpoint has no tokenizer.
        """
        n_steps = 2 * self.infill_settings.n_steps if steps is None else steps
        if n_candidates < 1 or n_steps < 1:
            raise RequestError(f"{n_candidates=} and steps={n_steps} must be at least 1")
        if not 0 < strength <= 1:
            raise RequestError(f"{strength=} must be above 0 and at most 1")
        if max_changed is not None and max_changed < 1:
            raise RequestError(f"{max_changed=} must be at least 1")
        _check_seed(seed)
        request = RewriteRequest(
            prefix=prefix,
            text=text,
            suffix=suffix,
            context=context,
            instruction=instruction,
            strength=strength,
            max_changed=max_changed,
            n_candidates=n_candidates,
            n_steps=n_steps,
            seed=seed,
            check=check,
            cancel=cancel or CancelToken(),
        )
        return self._within_memory(rewrite, request, replace(request, n_candidates=1))

    def _within_memory(self, work: Callable[[Parts, R], T], request: R, frugal: R) -> T:
        """Do a request; where memory runs out, once more without the prefix cache, and frugally."""
        return within_memory(
            lambda: work(self._infill_parts(), request),
            lambda: work(self._infill_parts(), frugal),
            device=self.device,
            forget=self.prefixes.clear,
        )

    def read(
        self, text: str, *, window: int | None = None, cancel: CancelToken | None = None
    ) -> list[TokenReading]:
        """Say how much each token of a text is doubted, seen from both sides and from before.

        Args:
            text: what to read.
            window: canvas tokens at once; by default the checkpoint's canvas, at most 256.
            cancel: asked between batches of windows.

        Returns:
            Readings in order; those before the place where it was cancelled.

        Raises:
            RequestError: ``window`` is below 8.
            TokenizerError: the checkpoint has no tokenizer.
        """
        if window is not None and window < 8:
            raise RequestError(f"{window=} must be at least 8 tokens")
        return read_tokens(
            self.model,
            self.tokenizer,
            text,
            bos_id=self.config.bos_token_id,
            window=window,
            cancel=cancel,
        )

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        """Score alternatives for places of a text by the encoder, each in its context.

        Args:
            text: the document.
            places: where, and what might stand there; most is shared if they are in order.
            cancel: asked before each batch of places, of about 400 tokens that are read anew.

        Returns:
            Nats for each alternative of each place, comparable within a place; those before the
            place where it was cancelled.

        Raises:
            RequestError: a place has no alternative or lies past the end of the text.
            TokenizerError: the checkpoint has no tokenizer.
        """
        for place in places:
            if not place.texts or place.span.end > len(text):
                raise RequestError(f"{place.span} of {len(text)} characters: bad place to compare")
        return compare(
            self.model,
            self.tokenizer,
            text,
            places,
            bos_id=self.config.bos_token_id,
            cancel=cancel,
        )

    def _infill_parts(self) -> Parts:
        """What infilling needs, made at the first request: its tables cost a moment."""
        if self._parts is None:
            self._parts = Parts(
                model=self.model,
                prefixes=self.prefixes,
                tokenizer=self.tokenizer,
                rules=TokenRules(self.tokenizer, self.config.vocab_size, self.device),
                config=self.generation_config,
                settings=self.infill_settings,
            )
        return self._parts

    def _check_ids(self, token_ids: Sequence[int]) -> None:
        vocab_size = self.config.vocab_size
        if token_ids and not (min(token_ids) >= 0 and max(token_ids) < vocab_size):
            raise RequestError(f"token ids must be 0..{vocab_size - 1}")


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**63:
        raise RequestError(f"{seed=} must be a whole number from 0 to 2**63 - 1")
