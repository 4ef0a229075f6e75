"""The training loop: phases by time, weights-only checkpoints, a log of curves.

A stint can be stopped and resumed at any time: weights are kept, the optimizers' state is not;
the learning rate warms up again, which costs less than storing twice the weights.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dgemma_engine.config import GenerationConfig, ModelConfig
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.train.muon import Muon
from dgemma_engine.train.noise import noise_canvases
from dgemma_engine.train.objective import CanvasBatch, Objective
from dgemma_engine.train.settings import Phase, TrainingSettings
from dgemma_engine.train.shards import TokenShard
from dgemma_engine.train.typos import TypoNoise

Report = Callable[[str], None]

WEIGHTS_NAME = "weights.safetensors"
LOG_NAME = "log.jsonl"
PROGRESS_NAME = "progress.json"
RELEASE_NAME = "release"
"""Folder inside a run: the weights whose learning rate has come down to zero."""

_SAMPLER = GenerationConfig(max_denoising_steps=8)
_REPORT_SECONDS = 20.0
_N_VALIDATION_WINDOWS = 64
_DOCUMENT_START_SHARE = 0.08  # short prefixes, which random windows have none of


def initial_model(config: ModelConfig, seed: int) -> Transformer:
    """Make an untrained model.

    Post-norms start at 0.4, so that the residual stream grows slowly; the norms of queries and
    keys start where dot products of random vectors have about unit variance; matrices of the
    self-conditioning start small, so that it begins as a whisper.
    """
    torch.manual_seed(seed)
    model = Transformer(config)
    for name, param in model.named_parameters():
        if name.startswith("embed_tokens"):
            nn.init.normal_(param, std=config.hidden_size**-0.5)
        elif name.endswith(("q_norm.weight", "k_norm.weight")):
            nn.init.constant_(param, 1.2 * param.shape[0] ** -0.25)
        elif "layernorm" in name and "post_" in name:
            nn.init.constant_(param, 0.4)
        elif param.ndim >= 2:
            nn.init.normal_(param, std=param.shape[-1] ** -0.5)
    with torch.no_grad():
        model.self_conditioning.down_proj.weight.mul_(0.3)
    return model


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a run has seen so far; kept beside the weights."""

    tokens: int = 0
    steps: int = 0
    seconds: float = 0.0


class Trainer:
    """Trains one model on one shard."""

    def __init__(
        self,
        model: Transformer,
        settings: TrainingSettings,
        train: TokenShard,
        validation: TokenShard,
        *,
        typos: TypoNoise | None = None,
        bfloat16: bool = False,
    ) -> None:
        """Take the parts.

        Args:
            model: float32 weights, trained in place.
            settings: of the run.
            train: token ids to learn from.
            validation: token ids to measure on.
            typos: makes typos, where a phase wants some.
            bfloat16: whether matrix products inside the forward pass round to bfloat16; the
                weights, their gradients and the optimizers stay float32.
        """
        self.model, self.settings = model, settings
        self.device = model.embed_tokens.weight.device
        self._train, self._validation, self._typos = train, validation, typos
        self._autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16)
        self.objective = Objective(model, settings.window_tokens, settings.canvas_tokens)
        self.progress = Progress()
        self._muon, self._adam = _optimizers(model, settings, bfloat16=bfloat16)
        self._rng = np.random.default_rng(settings.seed)
        self._generator = torch.Generator(self.device).manual_seed(settings.seed)

    def compile(self) -> None:
        """Let torch.compile fuse each layer; needs a C++ compiler, pays off after minutes."""
        # Layer kinds, modes, batch sizes and passes with and without gradients each need a graph
        # of the same code object; the default limit of 8 would fall back to eager silently.
        torch._dynamo.config.recompile_limit = 64
        for layer in self.model.layers:
            layer.compile(dynamic=False)

    def resume(self, folder: Path) -> None:
        """Take the weights that an earlier stint left; other randomness than that stint's."""
        self.model.load_state_dict(load_file(folder / WEIGHTS_NAME, device=str(self.device)))
        self.progress = Progress(**json.loads((folder / PROGRESS_NAME).read_text("utf-8")))
        self._rng = np.random.default_rng([self.settings.seed, self.progress.steps])

    def save(self, folder: Path) -> None:
        """Write weights and progress; a crash half-way leaves the old ones."""
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / (WEIGHTS_NAME + ".new")
        save_file({k: v.contiguous() for k, v in self.model.state_dict().items()}, scratch)
        scratch.replace(folder / WEIGHTS_NAME)
        values = {name: getattr(self.progress, name) for name in Progress.__slots__}
        (folder / PROGRESS_NAME).write_text(json.dumps(values) + "\n", encoding="utf-8")

    def run(self, folder: Path, phases: Sequence[Phase], minutes: float, report: Report) -> None:
        """Train for a time budget, saving along the way.

        A phase that decays the learning rate works on a copy: it saves to ``folder/release``, so
        that a later stint goes on from the weights before the decay.

        Args:
            folder: where weights, progress and the log go.
            phases: trained one after the other, in time proportional to their shares.
            minutes: budget of all of them.
            report: gets a line every few seconds.

        Raises:
            ValueError: a phase comes after one that decays, whose copy it would go on from.
        """
        if any(phase.decay for phase in phases[:-1]):
            raise ValueError("a phase with decay must be the last of a stint")
        next_save = time.monotonic() + self.settings.checkpoint_minutes * 60
        end = time.monotonic() + minutes * 60
        seconds_a_share = minutes * 60 / sum(phase.share for phase in phases)
        for phase in phases:
            out = folder / RELEASE_NAME if phase.decay else folder
            out.mkdir(parents=True, exist_ok=True)
            try:
                for line in self._run_phase(phase, seconds_a_share * phase.share, end, report):
                    with (folder / LOG_NAME).open("a", encoding="utf-8") as log:
                        log.write(json.dumps(line) + "\n")
                    if time.monotonic() >= next_save:
                        self.save(out)
                        next_save = time.monotonic() + self.settings.checkpoint_minutes * 60
            finally:  # also when interrupted
                self.save(out)

    def _run_phase(
        self, phase: Phase, seconds: float, end: float, report: Report
    ) -> Iterator[dict[str, float | str]]:
        """Train one phase; yield a line of figures every ``_REPORT_SECONDS``.

        ``end`` is when the stint will end, by the monotonic clock.
        """
        start = last_report = time.monotonic()
        figures: dict[str, list[float]] = {}
        n_steps = 0
        while (elapsed := time.monotonic() - start) < seconds:
            done = elapsed / seconds
            warm = min(1.0, (n_steps + 1) / self.settings.warmup_steps)
            decay = 1 - done if phase.decay else 1.0
            for name, value in self._step(phase, rate=warm * decay).items():
                figures.setdefault(name, []).append(value)
            n_steps += 1
            if (now := time.monotonic()) - last_report >= _REPORT_SECONDS:
                line = self._figures(phase, figures, now - last_report)
                report(_progress_line(line, seconds - (now - start), end - now))
                yield line
                figures, last_report = {}, now
        yield {"phase": phase.name, "tokens": self.progress.tokens, **self.validate()}

    def _step(self, phase: Phase, rate: float) -> dict[str, float]:
        started = time.monotonic()
        ids = self._windows(self._train, phase.batch_windows, self._rng)
        with_canvas = self._rng.random() < phase.canvas_share
        with self._autocast:
            loss, figures = self._loss(phase, ids, with_canvas=with_canvas)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer, base in (
            (self._muon, self.settings.muon_lr),
            (self._adam, self.settings.adam_lr),
        ):
            for group in optimizer.param_groups:
                group["lr"] = base * rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.progress.tokens += ids.numel()
        self.progress.steps += 1
        self.progress.seconds += time.monotonic() - started
        return figures

    def _loss(
        self, phase: Phase, ids: Tensor, *, with_canvas: bool
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of windows (B, W), and its parts by name."""
        encoded = self.objective.encode(ids)
        # The head costs as much as half of the layers: with a canvas loss, some of the rows do.
        row_share = 0.5 if with_canvas else 1.0
        rows = torch.rand(ids[:, 1:].shape, device=self.device) < row_share
        loss = self.objective.next_token_loss(encoded, ids, rows)
        figures = {"next_token": loss.item()}
        if with_canvas:
            batch = self._noised(ids, self._rng, phase.span_share, phase.typo_share)
            soft = self.objective.first_soft(batch)
            if sampled := self._rng.random() < phase.sampled_share:
                batch, soft = self.objective.sampled_state(
                    encoded, batch, int(self._rng.integers(1, 5)), _SAMPLER, self._generator
                )
            canvas_loss = self.objective.canvas_loss(encoded, batch, soft)
            figures["sampled" if sampled else "canvas"] = canvas_loss.item()
            loss = phase.next_token_weight * loss + canvas_loss
        return loss, figures

    def _figures(
        self, phase: Phase, figures: dict[str, list[float]], seconds: float
    ) -> dict[str, float | str]:
        n_steps = len(figures["next_token"])
        n_tokens = n_steps * phase.batch_windows * self.settings.window_tokens
        means = {name: round(sum(values) / len(values), 4) for name, values in figures.items()}
        return {
            "phase": phase.name,
            "tokens": self.progress.tokens,
            "tokens_per_second": round(n_tokens / seconds),
            **means,
        }

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Losses and accuracies on fixed held-out windows, nats and shares."""
        rng = np.random.default_rng(0)
        ids = self._windows(self._validation, _N_VALIDATION_WINDOWS, rng)
        batch = self._noised(ids, rng, span_share=1.0)
        encoded = self.objective.encode(ids)
        last = torch.zeros_like(ids[:, 1:], dtype=torch.bool)
        last[:, -64:] = True  # with at least 448 tokens of context
        next_logits = self.model.logits(encoded.output[:, :-1][last])
        soft = self.objective.first_soft(batch)
        logits = self.objective.canvas_logits(encoded, batch, soft, batch.free)
        target = ids[batch.free]
        cross_entropy = nn.functional.cross_entropy
        return {
            "held_out_next_token": round(cross_entropy(next_logits, ids[:, 1:][last]).item(), 4),
            "held_out_next_accuracy": round(_accuracy(next_logits, ids[:, 1:][last]), 4),
            "held_out_canvas": round(cross_entropy(logits, target).item(), 4),
            "held_out_canvas_accuracy": round(_accuracy(logits, target), 4),
        }

    def _windows(self, shard: TokenShard, n_windows: int, rng: np.random.Generator) -> Tensor:
        """Draw windows (B, W) from anywhere in the shard, some from where a document starts."""
        length = self.settings.window_tokens
        last = len(shard.ids) - length
        starts = rng.integers(0, last, n_windows)
        at_document = rng.random(n_windows) < _DOCUMENT_START_SHARE
        documents = rng.choice(shard.offsets[:-1], n_windows)
        starts = np.where(at_document & (documents <= last), documents, starts)
        windows = np.stack([shard.ids[start : start + length] for start in starts])
        return torch.from_numpy(windows.astype(np.int64)).to(self.device)

    def _noised(
        self, ids: Tensor, rng: np.random.Generator, span_share: float, typo_share: float = 0.0
    ) -> CanvasBatch:
        canvases = ids.view(-1, self.settings.canvas_tokens).cpu().numpy()
        config = self.model.config
        noised = noise_canvases(
            canvases,
            config.vocab_size,
            config.eos_token_ids[0],
            rng,
            span_share=span_share,
            typo_share=typo_share,
            typos=self._typos,
        )
        known = noised.clamped[:, None] & ~noised.free
        shown, targets, free, scored, clamped = (
            torch.from_numpy(values).to(self.device).view_as(ids)
            for values in (noised.ids, noised.targets, noised.free, noised.scored, known)
        )
        return CanvasBatch(ids=shown, targets=targets, free=free, scored=scored, clamped=clamped)


def _optimizers(
    model: Transformer, settings: TrainingSettings, *, bfloat16: bool
) -> tuple[Muon, torch.optim.AdamW]:
    """Muon for matrices inside the layers, AdamW for embedding, router and norms."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, param in model.named_parameters():
        is_matrix = param.ndim >= 2 and not name.startswith("embed_tokens") and "router" not in name
        (matrices if is_matrix else others).append(param)
    adam = torch.optim.AdamW(others, lr=settings.adam_lr, betas=(0.9, 0.98), weight_decay=0.0)
    return Muon(matrices, lr=settings.muon_lr, bfloat16=bfloat16), adam


def _accuracy(logits: Tensor, target: Tensor) -> float:
    return (logits.argmax(dim=-1) == target).float().mean().item()


def _progress_line(line: dict[str, float | str], phase_left: float, all_left: float) -> str:
    """Figures, and the minutes left in the phase and in all; times in seconds."""
    in_phase, in_all = (math.ceil(max(0.0, left) / 60) for left in (phase_left, all_left))
    figures = "  ".join(f"{name} {value}" for name, value in line.items() if name != "phase")
    return f"{line['phase']}: {figures}  ({in_phase} min left in this phase, {in_all} in all)"
