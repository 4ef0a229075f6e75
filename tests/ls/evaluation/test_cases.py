"""Cases are cut where their bucket says, and the same seed cuts the same."""

import gzip
import json
from pathlib import Path

import pytest

from dgemma_ls.commands.evaluate.arguments import HOLDOUT
from dgemma_ls.evaluation.cases import BUCKETS, Case, Document, draw_cases, read_documents
from dgemma_ls.files import FileError
from tests.ls.evaluation.fakes import WordTokenizer, document

DOCUMENTS = [document("pkg/a.py"), document("pkg/b.py", 40)]
TOKENIZER = WordTokenizer(*(one.text for one in DOCUMENTS))


def draw(*buckets: str, n: int = 20, seed: int = 0) -> list[Case]:
    return draw_cases(DOCUMENTS, TOKENIZER, buckets=buckets, n_per_bucket=n, seed=seed)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_span_has_as_many_tokens_as_its_bucket_says_and_enough_before_it(bucket: str) -> None:
    cases = draw(bucket)

    assert len(cases) == 20
    for case in cases:
        assert BUCKETS[bucket].shortest <= case.end - case.start <= BUCKETS[bucket].longest
        assert case.start >= 100
        assert TOKENIZER.decode_bytes(case.token_ids[case.start : case.end]) == case.truth.encode()
        assert case.prefix + case.truth + case.suffix == case.document.text
        assert case.truth.strip()


def test_all_cases_are_distinct() -> None:
    cases = draw("1", n=100)
    assert len({(case.document.path, case.start) for case in cases}) == len(cases) == 100


def test_the_rest_of_a_line_ends_where_the_line_breaks() -> None:
    for case in draw("rest"):
        assert "\n" not in case.truth
        assert case.suffix.startswith("\n")


def test_a_whole_line_goes_from_the_indent_to_the_break() -> None:
    for case in draw("line"):
        assert case.prefix.rstrip(" ").endswith("\n")
        assert case.truth == case.truth.lstrip()
        assert case.suffix.startswith("\n")


def test_an_indent_of_its_own_token_is_no_part_of_a_whole_line() -> None:
    bytewise = WordTokenizer()
    cases = draw_cases(DOCUMENTS, bytewise, buckets=["line"], n_per_bucket=10, seed=0)
    assert any(case.prefix.endswith("    ") for case in cases)
    assert all(not case.truth.startswith(" ") for case in cases)


def test_a_seed_repeats_whatever_else_is_drawn() -> None:
    few = draw("5-8", n=5, seed=3)

    assert [case for case in draw("1", "5-8", n=9, seed=3) if case.bucket == "5-8"][:5] == few
    assert draw("5-8", n=5, seed=4) != few


def test_buckets_take_turns() -> None:
    assert [case.bucket for case in draw("line", "1", n=2)] == ["line", "1", "line", "1"]


def test_no_character_is_cut_in_two() -> None:
    text = "α = β\n" * 200
    bytewise = WordTokenizer()
    cases = draw_cases(
        [Document(path="a.py", text=text)], bytewise, buckets=["1", "2-4"], n_per_bucket=30, seed=0
    )
    assert cases
    assert all(case.document.text[case.span.start : case.span.end] in text for case in cases)
    assert all(
        bytewise.decode_bytes(case.token_ids[: case.start]).decode() == case.prefix
        for case in cases
    )


def test_short_documents_give_no_cases() -> None:
    short = Document(path="a.py", text="a = 1\n" * 10)
    assert not draw_cases([short], WordTokenizer(), buckets=["1"], n_per_bucket=3, seed=0)


def test_documents_are_read_gzipped_or_not(tmp_path: Path) -> None:
    line = json.dumps({"package": "p", "path": "a.py", "text": "x = 1\u2028\n"}) + "\n"
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_text(line * 2, encoding="utf-8")
    packed.write_bytes(gzip.compress(line.encode() * 2))

    assert read_documents(plain) == read_documents(packed)
    assert read_documents(plain) == [Document(path="a.py", text="x = 1\u2028\n")] * 2


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.jsonl", b'{"path": "a", "text": "b"}\n{"path": 1, "text": "b"}\n', "a.jsonl:2"),
        ("a.jsonl", b'{"path": "a"}\n', "a.jsonl:1"),
        ("a.jsonl", b"[1]\n", "a.jsonl:1"),
        ("a.jsonl", b"\n", "is empty"),
        ("a.jsonl", b"\xff\xfe", "cannot be read"),
        ("a.jsonl.gz", b"no gzip", "cannot be read"),
        ("a.jsonl.gz", gzip.compress(b"text" * 99)[:-9], "cannot be read"),
        ("a.jsonl.gz", gzip.compress(b"text")[:12] + bytes(20), "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, named: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=named):
        read_documents(tmp_path / name)


def test_the_repository_s_documents_are_whole_and_carry_no_date() -> None:
    documents = read_documents(HOLDOUT)

    assert len({document.path for document in documents}) == len(documents) > 100
    assert all(document.path.endswith(".py") for document in documents)
    assert HOLDOUT.read_bytes()[4:8] == bytes(4)  # the time stamp of a gzip file
    assert HOLDOUT.stat().st_size < 1_000_000
