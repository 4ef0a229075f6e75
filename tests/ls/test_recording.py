import json
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.types import (
    InfillResult,
    JointCandidate,
    JointResult,
    Slot,
    SlotKind,
    Span,
    StopReason,
)
from dgemma_ls.files import FileError
from dgemma_ls.hashes import file_hash, model_hash
from dgemma_ls.recording import RecordedRequest, Texts, read_record, record, record_path
from tests import engines

REQUEST = RecordedRequest(
    task="infill",
    arguments={
        "prefix": "x = ",
        "suffix": "\n",
        "multiline": False,
        "lengths": (3, 4),
        "n_candidates": 3,
        "seed": 7,
    },
    verdicts={"(": (Span(start=0, end=1),), "1": ()},
    settings={"model": "embedded"},
    model_sha256="ab" * 32,
)


def result(*texts: str, stop: StopReason = StopReason.STABLE) -> InfillResult:
    return engines.result(*texts, stop=stop, milliseconds=2.5)


ANY_TEXT = st.text(st.characters(codec=None), max_size=30)  # lone surrogates too
SPANS = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
    lambda ends: Span(start=min(ends), end=max(ends))
)
SLOTS = st.builds(
    Slot, kind=st.sampled_from(SlotKind), quote=st.sampled_from("\"'`"), extra=st.just("$")
)
REQUESTS = st.one_of(
    st.fixed_dictionaries(
        {"prefix": ANY_TEXT, "suffix": ANY_TEXT},
        optional={
            "lengths": st.none() | st.just((1, 2)),
            "context": ANY_TEXT,
            "earlier": st.just(("a",)),
            "slot": st.none() | SLOTS,
        },
    ).map(lambda arguments: ("infill", arguments)),
    st.fixed_dictionaries(
        {"prefix": ANY_TEXT, "text": ANY_TEXT, "suffix": ANY_TEXT},
        optional={
            "context": ANY_TEXT,
            "strength": st.just(0.4),
            "max_changed": st.none() | st.just(3),
        },
    ).map(lambda arguments: ("rewrite", arguments)),
    st.fixed_dictionaries(
        {"text": ANY_TEXT, "spans": st.lists(SPANS, max_size=3).map(tuple)},
        optional={"context": ANY_TEXT, "multiline": st.booleans()},
    ).map(lambda arguments: ("infill_jointly", arguments)),
)


@given(
    REQUESTS,
    st.lists(ANY_TEXT, max_size=3),
    st.dictionaries(ANY_TEXT | st.just(("a", "b")), st.lists(SPANS, max_size=2).map(tuple)),
)
def test_a_record_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    asked: tuple[str, dict[str, Any]],
    texts: list[str],
    verdicts: dict[Texts, tuple[Span, ...]],
) -> None:
    path = tmp_path_factory.mktemp("records") / "a.json"
    task, arguments = asked
    request = replace(REQUEST, task=task, arguments=arguments, verdicts=verdicts)
    record(request, result(*texts), path)

    read = read_record(path)

    assert read.request == request
    assert read.texts == tuple(texts)
    assert read.stop == "stable"
    assert not read.was_interrupted


def test_texts_for_several_gaps_stay_together(tmp_path: Path) -> None:
    found = JointResult(
        candidates=(JointCandidate(texts=("a", "b"), score=0.0),),
        stop=StopReason.STABLE,
        forwards=1,
        milliseconds=0.0,
    )
    request = replace(REQUEST, task="infill_jointly", arguments={"text": "", "spans": ()})
    record(request, found, tmp_path / "a.json")

    assert read_record(tmp_path / "a.json").texts == (("a", "b"),)


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
        ('{"dgemma_record": 9}', "its format is 9, must be 2"),
        ('{"dgemma_record": 2, "request": {}}', "it has no 'task'"),
        ('{"dgemma_record": 2, "request": {"task": "x"}}', "its task is 'x', must be one of"),
        (
            '{"dgemma_record": 2, "request": {"task": "rewrite", "arguments": {"rm": 1}}}',
            "rewrite has no rm",
        ),
        (
            '{"dgemma_record": 2, "request": {"task": "infill", "arguments": {"suffix": ""}}}',
            "it has no 'prefix'",
        ),
        (
            '{"dgemma_record": 2, "request": {"task": "infill", "arguments":'
            ' {"prefix": "", "suffix": "", "slot": {"kind": "noun", "quote": "", "extra": ""}}}}',
            "'noun' is not a valid SlotKind",
        ),
        (
            '{"dgemma_record": 2, "request": {"task": "infill", "arguments":'
            ' {"prefix": "", "suffix": "", "slot": "number"}}}',
            "its slot is no Slot",
        ),
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
    value["request"]["arguments"][name] = None
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
