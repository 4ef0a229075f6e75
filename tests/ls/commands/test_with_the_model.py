"""What only the real engine can show: the same question gets the same bytes again."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from dgemma_ls.loading import load_engine
from dgemma_ls.models import model_folder
from dgemma_ls.recording import RecordedRequest, model_hash, record
from dgemma_ls.settings import Settings

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


@pytest.mark.parametrize("seed", [0, 1])
def test_a_recorded_request_gives_the_same_texts_in_another_process(
    tmp_path: Path, seed: int
) -> None:
    prefix, suffix = SOURCE[:53], SOURCE[60:]
    result = load_engine().infill(prefix, suffix, n_candidates=8, seed=seed)
    assert result.candidates
    request = RecordedRequest(
        prefix=prefix,
        suffix=suffix,
        multiline=False,
        lengths=None,
        n_candidates=8,
        seed=seed,
        settings=asdict(Settings()),
        model_sha256=model_hash(model_folder("embedded")),
    )
    record(request, result, tmp_path / "r.json")

    done = run("replay", tmp_path / "r.json", "--json")

    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["same_model"]
    assert report["texts"] == [candidate.text for candidate in result.candidates]


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
