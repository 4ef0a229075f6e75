"""Words that are right, in files and in documents."""

from pathlib import Path

import pytest

from dgemma_engine.types import Span
from dgemma_ls import gate
from dgemma_ls.files import FileError
from dgemma_ls.proofread.dictionaries import WordFile, directive_edit, words_of, workspace_file
from dgemma_ls.types import Edit, Refusal, Snapshot


def snapshot(text: str, language_id: str) -> Snapshot:
    return Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)


def test_a_word_is_added_at_the_end_once_and_other_bytes_stay(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "words.txt"
    file = WordFile(path)
    assert file.words() == frozenset()
    file.add("first")
    path.write_bytes(b"# ours\r\nfirst # of all\r\nlast")
    assert file.words() == {"first", "last"}
    file.add("first")
    file.add("naïve")
    assert path.read_bytes() == "# ours\r\nfirst # of all\r\nlast\r\nnaïve\r\n".encode()
    assert file.words() == {"first", "last", "naïve"}


def test_a_link_is_neither_read_nor_written(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("secret\n")
    link = tmp_path / ".dgemma-words"
    link.symlink_to(target)
    file = WordFile(link)
    assert file.words() == frozenset()
    with pytest.raises(FileError, match="is a link"):
        file.add("word")
    assert target.read_text() == "secret\n"


@pytest.mark.parametrize("word", ["", "two words", "a\nb", "x" * 61, "#x", "a_b"])
def test_what_is_no_word_is_not_added(tmp_path: Path, word: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        WordFile(tmp_path / "words.txt").add(word)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_text_has_no_words(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_bytes(b"\xff\xfe\x00")
    assert WordFile(path).words() == frozenset()


@pytest.mark.parametrize(
    ("language_id", "text", "expected"),
    [
        ("python", "x = 1\n", "x = 1\n# dgemma: words foo\n"),
        ("python", "x = 1", "x = 1\n# dgemma: words foo\n"),
        ("python", "", "# dgemma: words foo\n"),
        ("go", "package a\r\n", "package a\r\n// dgemma: words foo\r\n"),
        ("markdown", "A text.\n", "A text.\n\n<!-- dgemma: words foo -->\n"),
        ("markdown", "<!-- dgemma: words a b -->\n", "<!-- dgemma: words a b foo -->\n"),
        ("python", "# dgemma: words a\nx = 1\n", "# dgemma: words a foo\nx = 1\n"),
        ("python", "# dgemma: words\nx = 1\n", "# dgemma: words foo\nx = 1\n"),
        ("json", "{}\n", None),
    ],
)
def test_a_document_names_its_own_words(language_id: str, text: str, expected: str | None) -> None:
    document = snapshot(text, language_id)
    edit = directive_edit(document, "foo")
    if expected is None:
        assert edit is None
        return
    assert edit is not None
    assert not isinstance(gate.check(document, edit), Refusal)
    assert edit.apply(document) == expected
    after = snapshot(expected, language_id)
    assert words_of(after) == words_of(document) | {"foo"}
    again = directive_edit(after, "bar")
    assert isinstance(again, Edit)
    assert again.span == Span(start=again.span.start, end=again.span.start)
    assert words_of(snapshot(again.apply(after), language_id)) == words_of(after) | {"bar"}


def test_the_words_of_a_workspace_stand_in_its_repository_or_where_one_works(
    tmp_path: Path,
) -> None:
    inner = tmp_path / "repository" / "docs"
    inner.mkdir(parents=True)
    file = inner / "a.md"
    assert workspace_file(file, root=tmp_path) == tmp_path / ".dgemma-words"
    assert workspace_file(file, root=tmp_path / "other") == inner / ".dgemma-words"
    (tmp_path / ".dgemma-words").touch()
    (tmp_path / "repository" / ".git").mkdir()
    assert workspace_file(file, root=tmp_path) == tmp_path / "repository" / ".dgemma-words"
    (inner / ".dgemma-words").touch()
    assert workspace_file(file, root=tmp_path) == inner / ".dgemma-words"
