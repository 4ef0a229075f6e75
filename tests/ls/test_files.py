"""Files on a real disk: what is refused, and what survives a write."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dgemma_ls.files import MAX_BYTES, FileError, read_text, write_text
from tests.strategies import texts

BOM = b"\xef\xbb\xbf"
needs_links = pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")

may_write_all = os.name != "posix" or os.geteuid() == 0
needs_protection = pytest.mark.skipif(may_write_all, reason="root may write anything")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.py"


def check_refused(path: Path, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        read_text(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bom", [b"", BOM])
def test_all_but_the_span_survives_byte_for_byte(path: Path, bom: bytes) -> None:
    path.write_bytes(bom + "a\r\nß\rb\x0c\nspan𝒳".encode())
    file = read_text(path)
    write_text(file, file.text.replace("span", "new"))

    assert file.text == "a\r\nß\rb\x0c\nspan𝒳"
    assert path.read_bytes() == bom + "a\r\nß\rb\x0c\nnew𝒳".encode()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts())
def test_reading_and_writing_back_changes_no_byte(path: Path, text: str) -> None:
    data = text.encode("utf-8", "replace").replace(b"\0", b"")
    path.write_bytes(data)
    file = read_text(path)
    write_text(file, file.text)

    assert path.read_bytes() == data


def test_only_the_first_byte_order_mark_is_one(path: Path) -> None:
    path.write_bytes(BOM + BOM + b"x")

    assert read_text(path).text == "\ufeffx"


def test_a_missing_file_is_refused(path: Path) -> None:
    check_refused(path, "does not exist")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    check_refused(tmp_path, "is a directory")


@pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX")
def test_a_pipe_is_refused_without_waiting_for_it(path: Path) -> None:
    os.mkfifo(path)
    check_refused(path, "no regular file")


def test_a_binary_file_is_refused(path: Path) -> None:
    path.write_bytes(b"x\0y")
    check_refused(path, "binary")


def test_a_file_in_another_encoding_is_refused_with_its_first_wrong_byte(path: Path) -> None:
    path.write_bytes(BOM + "größer".encode("latin-1"))
    check_refused(path, r"not UTF-8 \(byte 5 is 0xf6\)")


def test_surrogates_in_utf8_are_refused(path: Path) -> None:
    path.write_bytes(b"x = '\xed\xa0\x80'")
    check_refused(path, "not UTF-8")


def test_a_huge_file_is_refused_unread(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    check_refused(path, "more than 10,000,000")


def test_the_mode_survives(path: Path) -> None:
    path.write_bytes(b"x\n")
    path.chmod(0o754)
    write_text(read_text(path), "y\n")

    assert stat.S_IMODE(path.stat().st_mode) == 0o754


@needs_links
def test_a_link_stays_a_link_and_its_target_is_written(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "folder" / "target.py"
    target.parent.mkdir()
    target.write_bytes(b"x\n")
    path.symlink_to(target)
    write_text(read_text(path), "y\n")

    assert path.is_symlink()
    assert target.read_bytes() == b"y\n"


def test_a_file_that_changed_meanwhile_is_left_alone(path: Path) -> None:
    path.write_bytes(b"x\n")
    file = read_text(path)
    path.write_bytes(b"theirs\n")

    with pytest.raises(FileError, match="changed meanwhile"):
        write_text(file, "ours\n")
    assert path.read_bytes() == b"theirs\n"
    assert [each.name for each in path.parent.iterdir()] == ["a.py"]


def test_a_file_that_went_away_stays_away(path: Path) -> None:
    path.write_bytes(b"x\n")
    file = read_text(path)
    path.unlink()

    with pytest.raises(FileError, match="does not exist"):
        write_text(file, "y\n")
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anything"
)
def test_a_write_protected_file_stays_as_it_is(path: Path) -> None:
    path.write_bytes(b"x\n")
    path.chmod(0o444)

    with pytest.raises(FileError, match="write-protected"):
        write_text(read_text(path), "y\n")
    assert path.read_bytes() == b"x\n"


def test_text_without_a_utf8_form_is_not_written(path: Path) -> None:
    path.write_bytes(b"x\n")

    with pytest.raises(FileError, match="no UTF-8 form"):
        write_text(read_text(path), "\ud83d")
    assert path.read_bytes() == b"x\n"
