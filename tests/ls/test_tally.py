import asyncio
import json
from pathlib import Path
from typing import Any

from dgemma_ls.tally import Tally
from dgemma_ls.types import Snapshot

URI = "file:///a.py"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counts(path: Path) -> dict[str, Any]:
    languages: dict[str, Any] = json.loads(path.read_text())["languages"]
    return languages


def test_an_item_counts_once_and_is_looked_for_after_thirty_seconds(tmp_path: Path) -> None:
    path, clock, text = tmp_path / "counts.json", Clock(), ["x = value\n"]

    def document(uri: str) -> Snapshot | None:
        if uri != URI:
            return None
        return Snapshot(uri=uri, version=1, language_id="python", text=text[0])

    async def use() -> None:
        tally = Tally(path, document, clock=clock)
        tally.shown("s1", URI)
        tally.shown("s1", URI)
        tally.shown("s2", "file:///closed.py")
        tally.accepted("s1", URI, "val")  # a part, then the whole
        tally.accepted("s1", URI, "value")
        tally.accepted("s3", URI, "gone")
        tally.accepted("s4", URI, "")
        clock.now_s = 31.0
        tally.close()
        tally.close()

    asyncio.run(use())

    assert counts(path) == {
        "python": {"shown": 1, "accepted": 2, "accepted_chars": 7, "kept": 1, "changed": 1}
    }
    assert "val" not in path.read_text().replace('"', " ").split()


def test_nothing_counted_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "counts.json"

    async def use() -> None:
        Tally(path, lambda uri: None).close()

    asyncio.run(use())

    assert not path.exists()


def test_the_timer_checks_and_writes_by_itself(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("dgemma_ls.statistics.KEPT_AFTER_S", 0.01)
    monkeypatch.setattr("dgemma_ls.tally.KEPT_AFTER_S", 0.01)
    path = tmp_path / "counts.json"
    document = Snapshot(uri=URI, version=1, language_id="python", text="x = value\n")

    async def use() -> None:
        tally = Tally(path, lambda uri: document)
        tally.accepted("s1", URI, "value")
        while not path.exists() or counts(path)["python"]["kept"] == 0:
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(use(), 10.0))

    assert counts(path)["python"]["kept"] == 1
