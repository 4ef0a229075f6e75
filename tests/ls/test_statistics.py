import json
import stat
import sys
import threading
from pathlib import Path

import pytest

from dgemma_ls.statistics import KEPT_AFTER_S, Counts, Statistics, read_statistics

URI = "file:///a.py"
CANARY = "hunter2_canary"


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def statistics(tmp_path: Path, clock: Clock) -> Statistics:
    return Statistics(tmp_path / "s" / "statistics.json", clock=clock)


def test_nothing_is_written_before_somebody_saves(statistics: Statistics, tmp_path: Path) -> None:
    statistics.shown("python")

    assert list(tmp_path.iterdir()) == []


def test_shown_and_accepted_are_counted_by_language(statistics: Statistics) -> None:
    for language in ("python", "python", "rust"):
        statistics.shown(language)
    statistics.accepted(URI, "python", "value")

    assert statistics.counts == {
        "python": Counts(shown=2, accepted=1, accepted_chars=5),
        "rust": Counts(shown=1),
    }


@pytest.mark.parametrize(
    ("text", "kept", "changed"),
    [("x = value\n", 1, 0), ("x = valu\n", 0, 1), ("", 0, 1), (None, 0, 0)],
)
def test_an_accepted_text_is_looked_for_after_30_seconds(
    statistics: Statistics, clock: Clock, text: str | None, kept: int, changed: int
) -> None:
    statistics.accepted(URI, "python", " value")
    clock.now_s += KEPT_AFTER_S - 0.1
    statistics.check(lambda uri: text)
    assert statistics.counts["python"].kept == statistics.counts["python"].changed == 0
    assert statistics.next_check_s() == pytest.approx(0.1)

    clock.now_s += 0.2
    statistics.check(lambda uri: text if uri == URI else None)
    statistics.check(lambda uri: text)  # once is enough

    assert statistics.counts["python"].kept == kept
    assert statistics.counts["python"].changed == changed
    assert statistics.next_check_s() is None


def test_the_file_holds_numbers_and_nothing_of_the_document(
    statistics: Statistics, tmp_path: Path
) -> None:
    statistics.accepted(f"file:///{CANARY}.py", "python", CANARY)
    statistics.save()
    path = tmp_path / "s" / "statistics.json"

    assert CANARY not in path.read_text()
    assert json.loads(path.read_text())["languages"]["python"]["accepted_chars"] == len(CANARY)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_counts_go_on_after_a_restart(statistics: Statistics, tmp_path: Path, clock: Clock) -> None:
    statistics.shown("python")
    statistics.save()
    again = Statistics(tmp_path / "s" / "statistics.json", clock=clock)
    again.shown("python")

    assert again.counts == {"python": Counts(shown=2)}


def test_sessions_that_share_a_file_lose_no_count(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "s.json"
    sessions = [Statistics(path, clock=clock) for _ in range(4)]

    def count(session: Statistics) -> None:
        for _ in range(10):
            session.shown("python")
            session.save()

    threads = [threading.Thread(target=count, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read_statistics(path) == {"python": Counts(shown=40)}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"languages": 3}', '{"languages": {"a": {"shown": "x"}}}']
)
def test_an_odd_file_counts_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)

    assert read_statistics(tmp_path / "s.json") == {}


def test_a_file_that_cannot_be_written_breaks_nothing(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").touch()
    statistics = Statistics(tmp_path / "taken" / "s.json", clock=clock)
    statistics.shown("python")
    statistics.save()

    assert "statistics not written" in caplog.text
    assert str(tmp_path) not in caplog.text
    (tmp_path / "taken").unlink()
    statistics.save()
    assert read_statistics(tmp_path / "taken" / "s.json") == {"python": Counts(shown=1)}


def test_made_up_languages_do_not_grow_it_without_end(statistics: Statistics) -> None:
    for number in range(1000):
        statistics.shown(f"language {number}")

    assert len(statistics.counts) <= 101
    assert sum(counts.shown for counts in statistics.counts.values()) == 1000


def test_texts_that_wait_are_few(statistics: Statistics, clock: Clock) -> None:
    for _ in range(500):
        statistics.accepted(URI, "python", "value")
    clock.now_s += KEPT_AFTER_S
    statistics.check(lambda uri: "value")

    assert statistics.counts["python"].kept == 100
