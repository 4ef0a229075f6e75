"""``dgemma-ls bench``: speed and memory on this machine, as ratios where there is a peer.

Machines are noisy, so whatever is compared is timed in turns within one run, and the limit of the
machine (matmul) stands beside the figure. Nothing here passes or fails.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgemma_engine.types import Span
from dgemma_ls.commands.bench_server import server_memory_mib
from dgemma_ls.documents import Change, DocumentStore
from dgemma_ls.features.fill import finish, prepare
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.settings import Settings
from dgemma_ls.types import Refusal, Snapshot

_PREFIX_TOKENS = 448
_CANVAS_TOKENS = 64
_SPAN_TOKENS = 12
_N_ROUNDS = 30
_N_SUGGESTIONS = 40
_FILE_LINES = 2000
_LONG_FILE_LINES = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value with its name and unit."""

    name: str
    value: float
    unit: str


def main(argv: Sequence[str]) -> int:
    """Measure and print a table or JSON; give the exit code."""
    args = _parser().parse_args(argv)
    figures = [*_load_time(args.model), _did_change()]
    engine = load_engine(args.model)
    figures += _forward(engine, Path(args.model), with_peer=args.peer)
    figures += _suggestions(engine)
    if (memory_mib := server_memory_mib(args.model, _long_file())) is not None:
        figures.append(Figure(name="server, resident memory", value=memory_mib, unit="MiB"))
    if args.json:
        print(json.dumps({figure.name: figure.value for figure in figures}))
    else:
        width = max(len(figure.name) for figure in figures)
        for figure in figures:
            print(f"{figure.name:<{width}}  {figure.value:>9.2f} {figure.unit}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dgemma-ls bench", description="Measure speed and memory on this machine."
    )
    parser.add_argument("--model", default=EMBEDDED, help="model folder (default: embedded)")
    parser.add_argument(
        "--peer",
        action="store_true",
        help="also time transformers on the same weights (it must be installed)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _load_time(model: str) -> list[Figure]:
    """Time to load in a fresh process, after torch and without it."""
    code = (
        "import time; start = time.perf_counter(); import torch; torched = time.perf_counter();"
        f"import dgemma_engine; dgemma_engine.load({model!r});"
        "print(torched - start, time.perf_counter() - torched)"
    )
    runs = []
    for _ in range(3):
        out = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
        runs.append((float(out[0]), float(out[1])))
    return [
        Figure(name="import torch", value=statistics.median(r[0] for r in runs), unit="s"),
        Figure(name="load the model", value=statistics.median(r[1] for r in runs), unit="s"),
    ]


def _forward(engine: Any, folder: Path, *, with_peer: bool) -> list[Figure]:
    """Time one decoder forward of one canvas after a cached prefix."""
    import torch

    rng = random.Random(0)
    vocab_size = engine.config.vocab_size
    prefix = [rng.randrange(16, vocab_size) for _ in range(_PREFIX_TOKENS)]
    canvas = torch.tensor([[rng.randrange(16, vocab_size) for _ in range(_CANVAS_TOKENS)]])
    cache = engine.encode(prefix)
    logits = engine.denoise(cache, canvas)
    contenders: list[Callable[[], object]] = [
        lambda: engine.denoise(cache, canvas, logits),
        _span_forward(engine, cache, canvas, logits),
    ]
    if with_peer:
        contenders.append(_peer_forward(engine, folder, prefix, canvas, logits))
    medians = _in_turns(contenders)
    ours, span = medians[:2]
    size = 1024
    matrix = torch.randn(size, size)
    (matmul,) = _in_turns([lambda: matrix @ matrix])
    figures = [
        Figure(name="decoder forward, 64 tokens", value=ours * 1e3, unit="ms"),
        Figure(name="the same for a span of 12", value=span * 1e3, unit="ms"),
        Figure(name="matmul limit", value=2 * size**3 / matmul / 1e9, unit="GFLOP/s"),
        Figure(name="threads", value=torch.get_num_threads(), unit=""),
    ]
    if with_peer:
        figures += [
            Figure(name="decoder forward, transformers", value=medians[2] * 1e3, unit="ms"),
            Figure(name="transformers / ours", value=medians[2] / ours, unit="×"),
            Figure(name="transformers / ours for a span", value=medians[2] / span, unit="×"),
        ]
    return figures


def _span_forward(engine: Any, cache: Any, canvas: Any, logits: Any) -> Callable[[], object]:
    """The forward that infilling runs: all 64 tokens, but logits for the span's rows only."""
    import torch

    model = engine.model
    free = torch.zeros(canvas.shape, dtype=torch.bool)
    free[:, 16 : 16 + _SPAN_TOKENS] = True

    @torch.inference_mode()
    def forward() -> object:
        soft = model.embed(canvas)
        soft[free] = model.soft_embed(logits[free])
        visible, position = cache.kv.visible(), cache.kv.n_tokens
        return model.decode(canvas, position, visible, soft_embeddings=soft, rows=free)

    return forward


def _peer_forward(
    engine: Any, folder: Path, prefix: Sequence[int], canvas: Any, logits: Any
) -> Callable[[], object]:
    """The same forward by transformers on the same weights; first checks that it agrees.

    transformers is no dependency: whoever asks for the comparison has installed it.
    """
    import importlib

    import torch

    try:
        transformers = importlib.import_module("transformers")
    except ImportError:
        raise SystemExit(
            "dgemma-ls: error: --peer needs transformers; install the dev extra, or leave it out"
        ) from None
    cache_utils = importlib.import_module("transformers.cache_utils")
    if str(folder) == EMBEDDED:
        import dgemma_engine

        folder = Path(dgemma_engine.__file__).parent / "embedded"
    values = json.loads((folder / "config.json").read_text("utf-8"))
    # The reference insists on a vision tower; a tiny one that is never run.
    vision = transformers.Gemma4VisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, head_dim=8
    )
    text = transformers.DiffusionGemmaTextConfig(**values["text_config"])
    config = transformers.DiffusionGemmaConfig(
        text_config=text, vision_config=vision, canvas_length=_CANVAS_TOKENS
    )
    model = transformers.DiffusionGemmaForBlockDiffusion(config).eval()
    from dgemma_engine.checkpoint import checkpoint_name

    state = {checkpoint_name(name): value for name, value in engine.model.state_dict().items()}
    model.load_state_dict(state, strict=False)
    model.tie_weights()
    with torch.inference_mode():
        past = cache_utils.DynamicCache(config=text)
        ids = torch.tensor([list(prefix)])
        past = model.model.encoder(input_ids=ids, past_key_values=past).past_key_values
        positions = torch.arange(len(prefix), len(prefix) + canvas.shape[1])[None]

    def forward() -> Any:
        with torch.inference_mode():
            return model(
                decoder_input_ids=canvas,
                past_key_values=past,
                decoder_position_ids=positions,
                self_conditioning_logits=logits,
            ).logits

    gap = (forward() - engine.denoise(engine.encode(prefix), canvas, logits)).abs().max().item()
    print(f"largest difference between the two, logits: {gap:.1e}", file=sys.stderr)
    return forward


def _in_turns(contenders: Sequence[Callable[[], object]]) -> list[float]:
    """Median seconds of each, called in turns after three rounds to warm up."""
    times: list[list[float]] = [[] for _ in contenders]
    for round_idx in range(3 + _N_ROUNDS):
        for idx, contender in enumerate(contenders):
            start = time.perf_counter()
            contender()
            if round_idx >= 3:
                times[idx].append(time.perf_counter() - start)
    return [statistics.median(values) for values in times]


def _suggestions(engine: Any) -> list[Figure]:
    """Time whole suggestions, engine and gate, while typing at random places of a long file."""
    text = _long_file()
    rng = random.Random(1)
    line_starts = [idx + 1 for idx, char in enumerate(text) if char == "\n"]
    times, n_shown = [], 0
    for version in range(_N_SUGGESTIONS + 3):
        line = rng.choice(line_starts[100:-10])
        offset = min(len(text), line + rng.randrange(4, 30))
        end = text.index("\n", line)
        offset = min(offset, end)
        # What stood there to the end of the line is what one would be typing.
        snapshot = Snapshot(
            uri="bench", version=version, language_id="python", text=text[:offset] + text[end:]
        )
        span = Span(start=offset, end=offset)
        start = time.perf_counter()
        request = prepare(snapshot, span)
        check = GateCheck(snapshot, span)
        n_candidates = Settings().n_candidates
        result = engine.infill(
            request.prefix, request.suffix, n_candidates=n_candidates, check=check
        )
        shown = finish(snapshot, span, result, limit=n_candidates, check=check)
        if version >= 3:
            times.append(time.perf_counter() - start)
            n_shown += not isinstance(shown, Refusal)
    times.sort()
    return [
        Figure(name="suggestion, 2000 lines, p50", value=times[len(times) // 2] * 1e3, unit="ms"),
        Figure(name="suggestion, 2000 lines, p90", value=times[-len(times) // 10] * 1e3, unit="ms"),
        Figure(name="suggestions that pass the gate", value=100 * n_shown / len(times), unit="%"),
    ]


def _did_change() -> Figure:
    """Time to take in one typed character at random places of a document of 50,000 lines."""
    store = DocumentStore()
    store.open("bench", 0, "python", _long_file(_LONG_FILE_LINES))
    rng = random.Random(0)
    times = []
    for version in range(1, 301):
        place = Position(rng.randrange(_LONG_FILE_LINES), 4)
        start = time.perf_counter()
        store.change("bench", version, [Change("x", (place, place))], PositionEncoding.UTF16)
        times.append(time.perf_counter() - start)
    return Figure(name="didChange, 50000 lines", value=statistics.median(times) * 1e6, unit="µs")


def _long_file(n_lines: int = _FILE_LINES) -> str:
    """Python of so many lines: our own sources, one after the other."""
    folder = Path(__file__).resolve().parents[1]
    sources = [path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))]
    lines = "\n".join(sources).split("\n")
    lines = (lines * (n_lines // len(lines) + 1))[:n_lines]
    return "\n".join(lines) + "\n"
