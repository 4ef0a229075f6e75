from pathlib import Path

import numpy as np
import pytest

from dgemma_engine.train import pack as packing
from dgemma_engine.train.pack import pack, unpack
from dgemma_engine.train.shards import load_shard
from tests.engine.train.toy import step, write_corpus


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer, and shards of random documents, which do not compress well."""
    work = tmp_path_factory.mktemp("work")
    write_corpus(work)
    assert step("tokenizer", work) == 0
    (work / "shards").mkdir()
    rng = np.random.default_rng(0)
    for split, n_documents in (("train", 60), ("selection", 5)):
        documents = [
            np.concatenate(([2], rng.integers(4, 270, rng.integers(20, 200)), [1]))
            for _ in range(n_documents)
        ]
        offsets = np.cumsum([0, *map(len, documents)])
        np.concatenate(documents).astype("<u2").tofile(work / "shards" / f"{split}.bin")
        np.save(work / "shards" / f"{split}.offsets.npy", offsets)
    return work


def same(ours: Path, theirs: Path) -> bool:
    first, second = load_shard(ours), load_shard(theirs)
    return np.array_equal(first.ids, second.ids) and np.array_equal(first.offsets, second.offsets)


def test_what_was_packed_comes_back(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_FILE_TOKENS", 1000)
    told: list[tuple[float, float]] = []
    n_bytes = pack(work, tmp_path / "packed", 10**6, lambda done, total: told.append((done, total)))
    files = sorted((tmp_path / "packed").glob("*.xz"))
    assert sum(path.stat().st_size for path in files) == n_bytes
    assert files[0].name == "selection-000.xz"
    assert len(files) > 5
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    # No file holds more than its share, whatever its documents are.
    assert max(path.stat().st_size for path in files) < 2 * 1000 + 100

    unpack(tmp_path / "packed", tmp_path / "other")
    for split in ("train", "selection"):
        assert same(*(place / "shards" / f"{split}.bin" for place in (work, tmp_path / "other")))
    tokenizer = (tmp_path / "other" / "tokenizer.json").read_bytes()
    assert tokenizer == (work / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("max_bytes", [1500, 3000, 6000])
def test_of_the_training_shard_the_first_documents_that_fit_are_taken(
    work: Path, tmp_path: Path, max_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_FILE_TOKENS", 1000)
    assert 0.6 * max_bytes < pack(work, tmp_path / "packed", max_bytes) <= max_bytes
    unpack(tmp_path / "packed", tmp_path / "other")
    all_of_it = load_shard(work / "shards" / "train.bin")
    some = load_shard(tmp_path / "other" / "shards" / "train.bin")
    n_documents = len(some.offsets) - 1
    assert 0 < n_documents < len(all_of_it.offsets) - 1
    assert np.array_equal(some.offsets, all_of_it.offsets[: n_documents + 1])
    assert np.array_equal(some.ids, all_of_it.ids[: some.offsets[-1]])


def test_a_second_pack_leaves_nothing_of_the_first(work: Path, tmp_path: Path) -> None:
    (tmp_path / "train-999.xz").write_bytes(b"old")
    pack(work, tmp_path, 10**6)
    unpack(tmp_path, tmp_path / "other")


def test_too_little_room_is_an_error(work: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="10 bytes are too few for the selection shard"):
        pack(work, tmp_path, 10)


def test_missing_and_damaged_files_are_told(work: Path, tmp_path: Path) -> None:
    pack(work, tmp_path, 10**6)
    (tmp_path / "train-000.xz").write_bytes(b"not xz")
    with pytest.raises(ValueError, match=r"train-000.xz: damaged \(.*\); pack it again"):
        unpack(tmp_path, tmp_path / "other")
    (tmp_path / "train-000.xz").unlink()
    with pytest.raises(ValueError, match="the train files are not all there"):
        unpack(tmp_path, tmp_path / "other")


def test_the_steps_carry_a_run_to_another_folder(work: Path, tmp_path: Path) -> None:
    assert step("pack", work, str(tmp_path / "packed"), "--megabytes", "1") == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "recipe.toml").write_bytes((work / "recipe.toml").read_bytes())
    assert step("unpack", other, str(tmp_path / "packed")) == 0
    assert step("run", other, "--minutes", "0", "--phase", "spans") == 0
