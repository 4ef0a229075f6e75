"""What only the real engine can show: the same question gets the same bytes again."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.types import Span
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.loading import load_engine
from dgemma_ls.recorder import recorded
from dgemma_ls.recording import texts_of
from dgemma_ls.settings import Settings
from dgemma_ls.types import Snapshot

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SOURCE = "def add(first: int, second: int) -> int:\n    total = first + second\n    return total\n"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "engine")))
    return subprocess.run(
        [sys.executable, "-m", "dgemma_ls", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        encoding="utf-8",
    )


SNAPSHOT = Snapshot(uri="file:///a.py", version=1, language_id="python", text=SOURCE)
HOLE = Span(start=53, end=60)


def fill(engine: Any, seed: int) -> Any:
    check = GateCheck(SNAPSHOT, HOLE)
    return engine.infill(SOURCE[:53], SOURCE[60:], n_candidates=8, seed=seed, check=check)


def rewrite(engine: Any, seed: int) -> Any:
    check = GateCheck(SNAPSHOT, HOLE)
    before, text, after = SOURCE[:53], SOURCE[53:60], SOURCE[60:]
    return engine.rewrite(before, text, after, strength=0.9, seed=seed, check=check)


def fill_jointly(engine: Any, seed: int) -> Any:
    spans = [Span(start=8, end=13), HOLE]
    return engine.infill_jointly(
        SOURCE, spans, seed=seed, accept=lambda texts: all(text.isidentifier() for text in texts)
    )


@pytest.mark.parametrize(("ask", "seed"), [(fill, 0), (fill, 1), (rewrite, 0), (fill_jointly, 0)])
def test_a_recorded_request_gives_the_same_texts_in_another_process(
    tmp_path: Path, ask: Callable[[Any, int], Any], seed: int
) -> None:
    result = ask(recorded(load_engine(), Settings(record_dir=str(tmp_path))), seed)
    (path,) = tmp_path.iterdir()

    done = run("replay", path, "--json")

    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["same_model"]
    assert report["texts"] == json.loads(json.dumps(texts_of(result)))


def test_a_check_of_a_seed_gives_the_same_report_again(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(SOURCE)

    def report() -> list[dict[str, object]]:
        done = run("check", file, "--positions", 5, "--seed", 3, "--json")
        assert done.returncode == 0
        places = json.loads(done.stdout)["places"]
        return [{k: v for k, v in place.items() if k != "milliseconds"} for place in places]

    first = report()
    assert len(first) == 5
    assert report() == first
