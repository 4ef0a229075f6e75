"""``dgemma-ls replay``: repeat a recorded request and compare the texts byte by byte."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from dgemma_engine.types import InfillResult, JointResult, Span
from dgemma_ls.commands.arguments import EngineLoader
from dgemma_ls.features.fill import Infiller
from dgemma_ls.hashes import model_hash
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.models import model_folder
from dgemma_ls.recording import Record, Texts, read_record, texts_of

DESCRIPTION = (
    "Repeat a request that the setting record_dir recorded. Exit code 0: the same texts came out, "
    "1: others, or the record cannot be compared, 2: bad input."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``replay``."""
    parser.add_argument("file", metavar="FILE.json", type=Path, help="the record")
    parser.add_argument("--model", metavar="DIR", help="another model folder than the record names")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Repeat, compare, tell.

    Raises:
        FileError: if the record or the model cannot be read.
        EngineError: if the model cannot be loaded.
    """
    record = read_record(args.file)
    model = args.model or str(record.request.settings.get("model", EMBEDDED))
    folder = model_folder(model)
    same_model = model_hash(folder) == record.request.model_sha256
    result = _repeat(record, load(model if model == EMBEDDED else str(folder)))
    texts = texts_of(result)
    same = texts == record.texts
    if args.json:
        print(
            json.dumps(
                {
                    "same": same,
                    "same_model": same_model,
                    "interrupted": record.was_interrupted,
                    "task": record.request.task,
                    "recorded": record.texts,
                    "texts": texts,
                    "milliseconds": result.milliseconds,
                }
            )
        )
    else:
        _tell(record, texts, same_model=same_model)
    return 0 if same else 1


class _Verdicts:
    """What the gate said when it was recorded; of a text that it was not asked about, nothing."""

    def __init__(self, record: Record) -> None:
        self._verdicts = record.request.verdicts

    def bad_spans(self, text: Texts) -> tuple[Span, ...]:
        return self._verdicts.get(text, ())


def _repeat(record: Record, engine: Infiller) -> InfillResult | JointResult:
    request = record.request
    check = _Verdicts(record) if request.verdicts else None
    match request.task:
        case "infill":
            return engine.infill(**request.arguments, check=check)
        case "rewrite":
            return engine.rewrite(**request.arguments, check=check)
        case _:
            accept = None if check is None else lambda texts: not check.bad_spans(texts)
            return engine.infill_jointly(**request.arguments, accept=accept)


def _tell(record: Record, texts: Sequence[Texts], *, same_model: bool) -> None:
    if not same_model:
        print("the model is another one than when it was recorded")
    if record.was_interrupted:
        print(f"the recorded request was ended early ({record.stop}); more may come out now")
    if texts == record.texts:
        print(f"the same {len(texts)} texts")
        return
    print("recorded:")
    for text in record.texts:
        print(f"  {text!r}")
    print("now:")
    for text in texts:
        print(f"  {text!r}")
