"""The factual part of a model card, from what the steps left behind.

Facts and results stand between markers; what people write around them is never touched.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgemma_engine.checkpoint import expected_shapes, meta_transformer, stored_bytes
from dgemma_engine.config import ModelConfig, load_model_config
from dgemma_engine.train.corpus import MANIFEST_NAME
from dgemma_engine.train.export import trained_folder
from dgemma_engine.train.shards import SUMMARY_NAME
from dgemma_engine.train.trainer import LOG_NAME, PROGRESS_NAME

CARD_NAME = "MODEL_CARD.md"

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card is made of.

    Attributes:
        config: shape of the model.
        n_parameters: numbers in its tensors.
        n_bytes: size of its weight files.
        manifest: ``manifest.json`` of the corpus.
        shards: ``shards.json``.
        progress: ``progress.json`` of the weights that were released.
        log: lines of the training log.
    """

    config: ModelConfig
    n_parameters: int
    n_bytes: int
    manifest: Line
    shards: Line
    progress: Line
    log: Sequence[Line]


def fill_card(work: Path, model: Path, table: Path | None = None) -> None:
    """Rewrite the parts of ``MODEL_CARD.md`` that stand between markers.

    Args:
        work: folder of the training steps.
        model: checkpoint folder with a card.
        table: Markdown of the evaluation, which replaces the results; by default they stay.

    Raises:
        ValueError: the card or a marker is missing.
    """
    path = model / CARD_NAME
    if not path.exists():
        raise ValueError(f"{path}: no such card; write one with the markers {_begin('facts')}")
    card = path.read_bytes().decode("utf-8")
    try:
        card = replace_between(card, "facts", facts_text(_read_facts(work, model)))
        if table is not None:
            card = replace_between(card, "results", table.read_text(encoding="utf-8"))
    except KeyError as err:
        raise ValueError(f"{work}: a step left no value for {err}; run the steps again") from err
    except ValueError as err:
        raise ValueError(f"{path}: {err}") from err
    path.write_bytes(card.encode("utf-8"))


def replace_between(card: str, name: str, text: str) -> str:
    """Give the card with ``text`` between the markers of that name, and all else as it was.

    Raises:
        ValueError: there is not exactly one pair of markers.
    """
    begin, end = _begin(name), f"<!-- /{name} -->"
    if card.count(begin) != 1 or card.count(end) != 1 or card.index(begin) > card.index(end):
        raise ValueError(f"needs {begin} and after it {end}, each once")
    head, _, rest = card.partition(begin)
    return f"{head}{begin}\n{text.strip()}\n{end}{rest.partition(end)[2]}"


def facts_text(facts: Facts) -> str:
    """Give the facts as Markdown."""
    parts = (_overview(facts), _curve(facts.log), _packages(facts.manifest["packages"]))
    return "\n\n".join(part for part in parts if part)


def _begin(name: str) -> str:
    return f"<!-- {name} -->"


def _read_facts(work: Path, model: Path) -> Facts:
    config = load_model_config(model)
    log = (work / "run" / LOG_NAME).read_text(encoding="utf-8")
    return Facts(
        config=config,
        n_parameters=sum(
            shape.numel() for shape in expected_shapes(meta_transformer(config)).values()
        ),
        n_bytes=stored_bytes(model),
        manifest=_read_json(work / "corpus" / MANIFEST_NAME),
        shards=_read_json(work / "shards" / SUMMARY_NAME),
        progress=_read_json(trained_folder(work) / PROGRESS_NAME),
        log=[json.loads(line) for line in log.splitlines()],
    )


def _read_json(path: Path) -> Line:
    values: Line = json.loads(path.read_text(encoding="utf-8"))
    return values


def _overview(facts: Facts) -> str:
    train = facts.manifest["splits"]["train"]
    n_tokens = facts.shards["splits"]["train"]["tokens"]
    n_trained, seconds = facts.progress["tokens"], max(1.0, facts.progress["seconds"])
    embedding = facts.config.vocab_size * facts.config.hidden_size
    rows = (
        (
            "parameters",
            f"{_million(facts.n_parameters)}, of which {_million(embedding)} are the embedding;"
            f" {facts.n_bytes / 1e6:.1f} MB in bfloat16",
        ),
        ("shape", _shape(facts.config)),
        (
            "corpus",
            f"{train['files']:,} files, {train['bytes'] / 1e6:.1f} MB, {_million(n_tokens)} tokens;"
            f" {train['prose_bytes'] / train['bytes']:.1%} of the bytes are prose",
        ),
        (
            "trained",
            f"on {_million(n_trained)} tokens, {n_trained / n_tokens:.2f} times the corpus, in"
            f" {seconds / 60:.0f} minutes: {n_trained / seconds:,.0f} tokens a second",
        ),
    )
    return _table(("", ""), rows)


def _million(count: float) -> str:
    return f"{count / 1e6:.2f} million"


def _shape(config: ModelConfig) -> str:
    kinds = "".join("S" if layer.is_sliding else "F" for layer in config.layers)
    return (
        f"width {config.hidden_size}; {len(kinds)} layers, {kinds} (S sliding, window"
        f" {config.sliding_window}; F full attention); {config.n_experts} experts,"
        f" {config.top_k_experts} per token; {config.vocab_size:,} tokens"
    )


def _curve(log: Sequence[Line]) -> str:
    """The held-out losses, one row for each time they were measured."""
    rows, speeds = [], []
    for line in log:
        if "tokens_per_second" in line:
            speeds.append(line["tokens_per_second"])
        if "held_out_next_token" in line:
            rows.append(
                (
                    line["phase"],
                    f"{line['tokens'] / 1e6:.2f}",
                    f"{sum(speeds) / len(speeds):,.0f}" if speeds else "",
                    f"{line['held_out_next_token']:.2f}, {line['held_out_next_accuracy']:.1%}",
                    f"{line['held_out_canvas']:.2f}, {line['held_out_canvas_accuracy']:.1%}",
                )
            )
            speeds = []
    head = ("after", "million tokens", "tokens a second", "next token", "spans")
    return (
        f"On the selection packages, loss in nats and share that is right:\n\n{_table(head, rows)}"
        if rows
        else ""
    )


def _packages(packages: Iterable[Line]) -> str:
    """The packages by split and licence."""
    by_licence: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)  # an ordered set
    for package in packages:
        label = f"{package['name']} {package['version']}"
        by_licence[package["split"], package["licence"]][label] = None
    parts = []
    for split, title in (
        ("train", "Trained on"),
        ("selection", "Chosen on"),
        ("holdout", "Held out"),
    ):
        rows = [
            (licence, str(len(labels)), ", ".join(labels))
            for (of_split, licence), labels in sorted(by_licence.items())
            if of_split == split
        ]
        if rows:
            parts.append(f"{title}:\n\n{_table(('licence', 'packages', ''), rows)}")
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
