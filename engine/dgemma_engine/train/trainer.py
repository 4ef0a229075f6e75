"""The training loop: phases by time, weights-only checkpoints, a log of curves.

A stint can be stopped and resumed at any time: weights are kept, the optimizers' state is not;
the learning rate warms up again, which costs less than storing twice the weights.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

Shard = np.ndarray[Any, np.dtype[np.uint16]]
Report = Callable[[str], None]

WEIGHTS_NAME = "weights.safetensors"
LOG_NAME = "log.jsonl"

_SAMPLER = GenerationConfig(max_denoising_steps=8)
_REPORT_SECONDS = 20.0
_N_VALIDATION_WINDOWS = 16


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
        self, model: Transformer, settings: TrainingSettings, train: Shard, holdout: Shard
    ) -> None:
        self.model, self.settings = model, settings
        self.device = model.embed_tokens.weight.device
        self._train, self._holdout = train, holdout
        self.objective = Objective(model, settings.window_tokens, settings.canvas_tokens)
        self.progress = Progress()
        self._muon, self._adam = _optimizers(model, settings)
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
        self.progress = Progress(**json.loads((folder / "progress.json").read_text("utf-8")))
        self._rng = np.random.default_rng([self.settings.seed, self.progress.steps])

    def save(self, folder: Path) -> None:
        """Write weights and progress; a crash half-way leaves the old ones."""
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / (WEIGHTS_NAME + ".new")
        save_file({k: v.contiguous() for k, v in self.model.state_dict().items()}, scratch)
        scratch.replace(folder / WEIGHTS_NAME)
        values = {name: getattr(self.progress, name) for name in Progress.__slots__}
        (folder / "progress.json").write_text(json.dumps(values) + "\n", encoding="utf-8")

    def run(self, folder: Path, minutes: float, report: Report, first_phase: int = 0) -> None:
        """Train for a time budget, saving along the way.

        Args:
            folder: where weights, progress and the log go.
            minutes: budget of the whole schedule, also when it starts at a later phase.
            report: gets a line every few seconds.
            first_phase: index of the phase to start at.
        """
        folder.mkdir(parents=True, exist_ok=True)
        next_save = time.monotonic() + self.settings.checkpoint_minutes * 60
        for phase in self.settings.phases[first_phase:]:
            for line in self._run_phase(phase, minutes * 60 * phase.share, report):
                with (folder / LOG_NAME).open("a", encoding="utf-8") as log:
                    log.write(json.dumps(line) + "\n")
                if time.monotonic() >= next_save:
                    self.save(folder)
                    next_save = time.monotonic() + self.settings.checkpoint_minutes * 60
            self.save(folder)

    def _run_phase(
        self, phase: Phase, seconds: float, report: Report
    ) -> Iterator[dict[str, float | str]]:
        """Train one phase; yield a line of figures every ``_REPORT_SECONDS``."""
        start = last_report = time.monotonic()
        figures: dict[str, list[float]] = {}
        n_steps = 0
        while (elapsed := time.monotonic() - start) < seconds:
            done = elapsed / seconds
            warm = min(1.0, (n_steps + 1) / self.settings.warmup_steps)
            decay = min(1.0, 2 * (1 - done)) if phase.decay else 1.0
            for name, value in self._step(phase, rate=warm * decay).items():
                figures.setdefault(name, []).append(value)
            n_steps += 1
            if (now := time.monotonic()) - last_report >= _REPORT_SECONDS:
                line = self._figures(phase, figures, now - last_report)
                report(_progress_line(line, seconds - (now - start)))
                yield line
                figures, last_report = {}, now
        yield {"phase": phase.name, "tokens": self.progress.tokens, **self.validate()}

    def _step(self, phase: Phase, rate: float) -> dict[str, float]:
        started = time.monotonic()
        ids = self._windows(self._train, phase.batch_windows, self._rng)
        with_canvas = self._rng.random() < phase.canvas_share
        encoded = self.objective.encode(ids)
        # The head costs as much as half of the layers: with a canvas loss, some of the rows do.
        row_share = 0.25 if with_canvas else 1.0
        rows = torch.rand(ids[:, 1:].shape, device=self.device) < row_share
        loss = self.objective.next_token_loss(encoded, ids, rows)
        figures = {"next_token": loss.item()}
        if with_canvas:
            batch = self._noised(ids, self._rng, phase.span_share)
            soft = self.objective.first_soft(batch)
            if sampled := self._rng.random() < phase.sampled_share:
                batch, soft = self.objective.sampled_state(
                    encoded, batch, int(self._rng.integers(1, 5)), _SAMPLER, self._generator
                )
            logits = self.objective.canvas_logits(encoded, batch, soft, batch.free)
            canvas_loss = nn.functional.cross_entropy(logits, ids[batch.free])
            figures["sampled" if sampled else "canvas"] = canvas_loss.item()
            loss = phase.next_token_weight * loss + canvas_loss
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
        ids = self._windows(self._holdout, _N_VALIDATION_WINDOWS, rng)
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

    def _windows(self, shard: Shard, n_windows: int, rng: np.random.Generator) -> Tensor:
        """Draw windows (B, W) from anywhere in the shard."""
        length = self.settings.window_tokens
        starts = rng.integers(0, len(shard) - length, n_windows)
        windows = np.stack([shard[start : start + length] for start in starts])
        return torch.from_numpy(windows.astype(np.int64)).to(self.device)

    def _noised(self, ids: Tensor, rng: np.random.Generator, span_share: float) -> CanvasBatch:
        canvases = ids.view(-1, self.settings.canvas_tokens).cpu().numpy()
        config = self.model.config
        noised = noise_canvases(
            canvases, config.vocab_size, config.eos_token_ids[0], rng, span_share=span_share
        )
        clamped = noised.clamped[:, None] & ~noised.free
        return CanvasBatch(
            ids=torch.from_numpy(noised.ids).to(self.device).view_as(ids),
            free=torch.from_numpy(noised.free).to(self.device).view_as(ids),
            clamped=torch.from_numpy(clamped).to(self.device).view_as(ids),
        )


def _optimizers(model: Transformer, settings: TrainingSettings) -> tuple[Muon, torch.optim.AdamW]:
    """Muon for matrices inside the layers, AdamW for embedding, router and norms."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, param in model.named_parameters():
        is_matrix = param.ndim >= 2 and not name.startswith("embed_tokens") and "router" not in name
        (matrices if is_matrix else others).append(param)
    adam = torch.optim.AdamW(others, lr=settings.adam_lr, betas=(0.9, 0.98), weight_decay=0.0)
    return Muon(matrices, lr=settings.muon_lr), adam


def _accuracy(logits: Tensor, target: Tensor) -> float:
    return (logits.argmax(dim=-1) == target).float().mean().item()


def _progress_line(line: dict[str, float | str], seconds_left: float) -> str:
    minutes_left = math.ceil(max(0.0, seconds_left) / 60)
    figures = "  ".join(f"{name} {value}" for name, value in line.items() if name != "phase")
    return f"{line['phase']}: {figures}  ({minutes_left} min left in this phase)"
