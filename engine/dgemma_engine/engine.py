"""The public face: :func:`load` a checkpoint, then encode, denoise, generate and infill.

An engine belongs to one thread (``worker.EngineWorker`` gives it one). It knows token ids and
plain strings, nothing of documents, editors or protocols.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

import torch
from torch import Tensor

from dgemma_engine.checkpoint import load_transformer, stored_bytes
from dgemma_engine.config import (
    GenerationConfig,
    ModelConfig,
    load_generation_config,
    load_model_config,
)
from dgemma_engine.errors import CheckpointError, DeviceError, RequestError, TokenizerError
from dgemma_engine.generate import StepReport, generate
from dgemma_engine.infill.copy import Copy, propose_copies
from dgemma_engine.infill.fill import FilledRow, TokenRules, fill_rows
from dgemma_engine.infill.planner import CanvasPlan, heal, max_span_tokens, plan_canvases
from dgemma_engine.infill.select import Exhibit, judge
from dgemma_engine.infill.settings import InfillSettings, load_infill_settings
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.prefix_cache import PrefixCache, PrefixCacheStore
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer
from dgemma_engine.types import CancelToken, Candidate, InfillResult, Origin, StopReason

EMBEDDED = "embedded"
DEFAULT_LENGTHS = (1, 2, 3, 4, 6, 8, 12)
"""Span lengths tried when the caller names none: most rests of lines are this short."""

_N_COPIES = 3
_COPY_MAX_TOKENS = 24  # 99 % of all rests of lines
_COPY_CHARS_BEFORE, _COPY_CHARS_AFTER = 24_000, 8_000
"""Where copies are looked for: some 8,000 tokens, beyond which recent text is better anyway."""

_FLOAT32_MAX_BYTES = 4 * 2**30
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load(
    checkpoint: str | Path = EMBEDDED, *, device: str = "auto", dtype: str = "auto"
) -> "Engine":
    """Load a checkpoint.

    Args:
        checkpoint: ``"embedded"`` for the model in the package, else a folder.
        device: a torch device; ``"auto"`` takes CUDA where there is one.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``; ``"auto"`` keeps the file's on a
            GPU and takes float32 on a CPU, unless the model is too large for that.

    Raises:
        ModelFilesError: a file is missing, damaged or unsupported.
        DeviceError: the device does not exist or has too little memory.
        RequestError: ``dtype`` is unknown.
    """
    if checkpoint == EMBEDDED:
        with as_file(files("dgemma_engine") / "embedded") as folder:
            return _load_folder(folder, device, dtype)
    return _load_folder(Path(checkpoint), device, dtype)


def _load_folder(folder: Path, device: str, dtype: str) -> "Engine":
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: no such folder; give the folder that holds config.json and the weights,"
            f' or "{EMBEDDED}"'
        )
    config = load_model_config(folder)
    target = _device(device)
    try:
        model = load_transformer(folder, config, device=target, dtype=_dtype(dtype, target, folder))
    except torch.OutOfMemoryError as err:
        raise DeviceError(
            f"{folder}: does not fit into the memory of {target}; use a smaller checkpoint or"
            ' device="cpu"'
        ) from err
    tokenizer = Tokenizer(folder / TOKENIZER_NAME) if (folder / TOKENIZER_NAME).exists() else None
    return Engine(
        model,
        load_generation_config(folder, config),
        tokenizer=tokenizer,
        infill_settings=load_infill_settings(folder),
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as err:
        raise DeviceError(f"device {name!r} is not available; use cpu or auto") from err
    return device


def _dtype(name: str, device: torch.device, folder: Path) -> torch.dtype | None:
    if name == "auto":
        # Without AMX or AVX512-BF16 a CPU runs bfloat16 about ten times slower than float32.
        small = 2 * stored_bytes(folder) <= _FLOAT32_MAX_BYTES
        return torch.float32 if device.type == "cpu" and small else None
    if name not in _DTYPES:
        raise RequestError(f"dtype {name!r} is unknown; use auto, {', '.join(_DTYPES)}")
    return _DTYPES[name]


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
        """Put the loaded parts together; :func:`load` is the usual way."""
        self.model = model
        self.generation_config = generation_config
        self.infill_settings = infill_settings
        self.prefixes = PrefixCacheStore(model)
        self._tokenizer = tokenizer
        self._rules: TokenRules | None = None

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
    def max_span_tokens(self) -> int:
        """Longest span that one canvas can fill."""
        return max_span_tokens(self.infill_settings, self.config.canvas_length)

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
        if canvas.ndim != 2 or 0 in canvas.shape or canvas.is_floating_point():
            raise RequestError(f"canvas must be (B, C) token ids, is {tuple(canvas.shape)}")
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
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int | None = None,
        seed: int = 0,
        cancel: CancelToken | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> InfillResult:
        """Fill the gap between two texts.

        Args:
            prefix: all text before the span; the engine reads as much as its budget allows.
            suffix: all text after it.
            lengths: span lengths in tokens to try, each up to :attr:`max_span_tokens`.
            multiline: whether the fill may contain line breaks.
            n_candidates: most candidates to return, at least 1.
            steps: denoising steps at most; ``None`` takes what suits the checkpoint.
            seed: of this request's own generator; the same call gives the same result.
            cancel: asked at each denoising step, may carry a deadline.
            on_step: called after each step with its number, from 1.

        Returns:
            Distinct, non-empty candidates, best first; what the deadline left; nothing when
            cancelled.

        Raises:
            RequestError: an argument is out of range.
            TokenizerError: the checkpoint has no tokenizer.
        """
        n_steps = self.infill_settings.n_steps if steps is None else steps
        if n_candidates < 1 or n_steps < 1:
            raise RequestError(f"{n_candidates=} and steps={n_steps} must be at least 1")
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        plan = plan_canvases(
            prefix,
            suffix,
            self._default_lengths() if lengths is None else lengths,
            self.tokenizer,
            self.infill_settings,
            bos_id=self.config.bos_token_id,
            eos_id=self.config.eos_token_ids[0],
            canvas_length=self.config.canvas_length,
        )
        if self._rules is None:
            self._rules = TokenRules(self.tokenizer, self.config.vocab_size, self.device)
        cache = self.encode(plan.context_ids)
        filled = fill_rows(
            self.model,
            cache.kv,
            plan,
            self._rules,
            single_line=not multiline,
            n_steps=n_steps,
            seed=seed,
            config=self.generation_config,
            settings=self.infill_settings,
            cancel=cancel,
            on_step=on_step,
        )
        stop = filled.stop
        candidates: tuple[Candidate, ...] = ()
        if cancel.cancelled:
            stop = StopReason.CANCELLED
        elif stop is StopReason.DEADLINE:
            # Past the deadline there is no time for the judge; the denoiser's own word counts.
            scores = [row.confidence for row in filled.rows]
            candidates = self._ranked(plan, filled.rows, scores)
        else:
            copies = self._copies(prefix, suffix, lengths, multiline=multiline)
            proposals: list[FilledRow | Copy] = [*filled.rows, *copies]
            exhibits = [
                Exhibit(left=plan.left_ids, ids=proposal.ids, right=plan.right_ids)
                for proposal in proposals
            ]
            candidates = self._ranked(plan, proposals, judge(self.model, cache.kv, exhibits))
        return InfillResult(
            candidates=candidates[:n_candidates],
            stop=stop,
            forwards=filled.forwards,
            milliseconds=(time.perf_counter() - started) * 1000,
        )

    def _copies(
        self, prefix: str, suffix: str, lengths: Sequence[int] | None, *, multiline: bool
    ) -> list[Copy]:
        """What the document itself proposes."""
        kept, _, _, rest = heal(prefix, suffix)
        copies = propose_copies(
            self.tokenizer.encode(kept[-_COPY_CHARS_BEFORE:]),
            self.tokenizer.encode(rest[:_COPY_CHARS_AFTER]),
            lengths=range(1, _COPY_MAX_TOKENS + 1) if lengths is None else lengths,
            n_proposals=_N_COPIES,
        )
        if multiline:
            return copies
        decode = self.tokenizer.decode_bytes
        return [copy for copy in copies if not set(decode(copy.ids)) & set(b"\r\n")]

    def _ranked(
        self, plan: CanvasPlan, proposals: Sequence[FilledRow | Copy], scores: Sequence[float]
    ) -> tuple[Candidate, ...]:
        """Texts by falling score, shorter first among equals; known text is cut off."""
        best: dict[str, Candidate] = {}
        by_score = sorted(
            zip(proposals, scores, strict=True), key=lambda pair: (-pair[1], len(pair[0].ids))
        )
        for proposal, score in by_score:
            text = _between(self.tokenizer.decode_bytes(proposal.ids), plan)
            if text and text not in best:
                copied = isinstance(proposal, Copy)
                best[text] = Candidate(
                    text=text,
                    score=score,
                    forwards=0 if isinstance(proposal, Copy) else proposal.forwards,
                    n_tokens=len(proposal.ids),
                    origin=Origin.COPIED if copied else Origin.DENOISED,
                )
        return tuple(best.values())

    def _default_lengths(self) -> tuple[int, ...]:
        return tuple(n for n in DEFAULT_LENGTHS if n <= self.max_span_tokens) or (1,)

    def _check_ids(self, token_ids: Sequence[int]) -> None:
        vocab_size = self.config.vocab_size
        if token_ids and not (min(token_ids) >= 0 and max(token_ids) < vocab_size):
            raise RequestError(f"token ids must be 0..{vocab_size - 1}")


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
