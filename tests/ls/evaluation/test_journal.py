"""What a run cut short leaves behind, and how the next one goes on."""

from pathlib import Path

import pytest

from dgemma_ls.evaluation.journal import Journal
from dgemma_ls.files import FileError

SETTINGS = {"model": "m", "seed": 1}


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    with Journal(path, SETTINGS) as journal:
        journal.write({"task_id": "a"})
        journal.write({"task_id": "b\u2028"})
    return path


def test_rows_come_back(begun: Path) -> None:
    with Journal(begun, SETTINGS) as journal:
        assert journal.rows == [{"task_id": "a"}, {"task_id": "b\u2028"}]
        journal.write({"task_id": "c"})
    with Journal(begun, SETTINGS) as journal:
        assert [row["task_id"] for row in journal.rows] == ["a", "b\u2028", "c"]


def test_a_row_is_on_disk_before_the_run_ends(tmp_path: Path) -> None:
    with Journal(tmp_path / "run.jsonl", SETTINGS) as journal:
        journal.write({"task_id": "a"})
        assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("n_cut", [1, 5])
def test_a_line_cut_short_is_dropped(begun: Path, n_cut: int) -> None:
    begun.write_bytes(begun.read_bytes()[:-n_cut])
    with Journal(begun, SETTINGS) as journal:
        assert journal.rows == [{"task_id": "a"}]
        journal.write({"task_id": "c"})
    assert begun.read_text().endswith('{"task_id": "a"}\n{"task_id": "c"}\n')


def test_a_header_cut_short_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"settings": {"mo')
    with Journal(path, SETTINGS) as journal:
        assert journal.rows == []
    with Journal(path, SETTINGS) as journal:
        assert journal.rows == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "m", "seed": 2}, "begun with seed 1, not 2"),
        ({"model": "m"}, "begun with seed 1, not None"),
        ({"model": "m", "seed": 1, "steps": 4}, "begun with steps None, not 4"),
    ],
)
def test_other_settings_are_refused(begun: Path, settings: dict[str, object], said: str) -> None:
    before = begun.read_bytes()
    with pytest.raises(FileError, match=said):
        Journal(begun, settings)
    assert begun.read_bytes() == before


@pytest.mark.parametrize("content", [b"not json\n", b"{}\n", b"[1]\n", b"\xff\xfe\n"])
def test_another_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"notes\.txt"):
        Journal(path, SETTINGS)
    assert path.read_bytes() == content
