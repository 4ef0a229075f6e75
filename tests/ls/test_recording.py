import json
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import Candidate, InfillResult, StopReason
from dgemma_ls.files import FileError
from dgemma_ls.recording import (
    RecordedRequest,
    file_hash,
    model_hash,
    read_record,
    record,
    record_path,
)

REQUEST = RecordedRequest(
    prefix="x = ",
    suffix="\n",
    multiline=False,
    lengths=(3, 4),
    n_candidates=3,
    seed=7,
    settings={"model": "embedded"},
    model_sha256="ab" * 32,
)


def result(*texts: str, stop: StopReason = StopReason.STABLE) -> InfillResult:
    candidates = tuple(Candidate(text=text, score=0.0, forwards=1, n_tokens=1) for text in texts)
    return InfillResult(candidates=candidates, stop=stop, forwards=1, milliseconds=2.5)


ANY_TEXT = st.text(st.characters(codec=None), max_size=30)  # lone surrogates too


@given(ANY_TEXT, ANY_TEXT, st.lists(ANY_TEXT, max_size=3), st.none() | st.just((1, 2)))
def test_a_record_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    prefix: str,
    suffix: str,
    texts: list[str],
    lengths: tuple[int, ...] | None,
) -> None:
    path = tmp_path_factory.mktemp("records") / "a.json"
    request = replace(REQUEST, prefix=prefix, suffix=suffix, lengths=lengths)
    record(request, result(*texts), path)

    read = read_record(path)

    assert read.request == request
    assert read.texts == tuple(texts)
    assert read.stop == "stable"
    assert not read.was_interrupted


@pytest.mark.skipif(sys.platform == "win32", reason="Unix permissions")
def test_a_record_is_its_owners_alone_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    record(REQUEST, result("1"), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(FileError, match="cannot write the record"):
        record(REQUEST, result("2"), path)
    assert read_record(path).texts == ("1",)


@pytest.mark.parametrize("stop", [StopReason.DEADLINE, StopReason.CANCELLED])
def test_what_the_clock_ended_is_marked(tmp_path: Path, stop: StopReason) -> None:
    record(REQUEST, result(stop=stop), tmp_path / "a.json")

    assert read_record(tmp_path / "a.json").was_interrupted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("[]", "no record"),
        ("{}", "it has no 'dgemma_record'"),
        ('{"dgemma_record": 9}', "its format is 9, must be 1"),
        ('{"dgemma_record": 1, "request": {}}', "it has no 'lengths'"),
    ],
)
def test_what_is_no_record_is_said_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)

    with pytest.raises(FileError) as caught:
        read_record(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["prefix", "suffix", "multiline", "n_candidates", "seed"])
def test_a_value_of_another_kind_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    record(REQUEST, result(), path)
    value = json.loads(path.read_text())
    value["request"][name] = None
    path.write_text(json.dumps(value))

    with pytest.raises(FileError, match=f"its {name} is no"):
        read_record(path)


def test_a_models_hash_changes_with_its_weights_and_their_names(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no safetensors file"):
        model_hash(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"a" * 10)
    first = model_hash(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert model_hash(tmp_path) == first
    weights.write_bytes(b"a" * 9 + b"b!")
    second = model_hash(tmp_path)
    weights.rename(tmp_path / "model-1.safetensors")

    assert len({first, second, model_hash(tmp_path)}) == 3


def test_a_files_hash_is_the_one_everybody_else_computes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    assert file_hash(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_records_have_different_names() -> None:
    assert record_path(Path("r"), 1) != record_path(Path("r"), 2)
