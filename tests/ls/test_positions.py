"""Positions against a naive reference that walks the text character by character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.positions import LineIndex, Position, PositionEncoding
from tests.strategies import texts

UTF8, UTF16, UTF32 = PositionEncoding.UTF8, PositionEncoding.UTF16, PositionEncoding.UTF32
ENCODINGS = st.sampled_from(PositionEncoding)


def width(character: str, encoding: PositionEncoding) -> int:
    """One character's code units, from the definition of the encodings."""
    code = ord(character)
    if encoding is UTF8:
        return 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)
    return 1 + (encoding is UTF16 and code >= 0x10000)


def naive_lines(text: str) -> list[tuple[int, str]]:
    """Start and content of each line; a line ends at \\n, \\r\\n, \\r and nowhere else."""
    lines, start, at = [], 0, 0
    while at < len(text):
        end_length = 2 if text.startswith("\r\n", at) else int(text[at] in "\r\n")
        at += end_length or 1
        if end_length:
            lines.append((start, text[start : at - end_length]))
            start = at
    return [*lines, (start, text[start:])]


def naive_offset(text: str, line: int, character: int, encoding: PositionEncoding) -> int:
    lines = naive_lines(text)
    if line >= len(lines):
        return len(text)
    offset, content = lines[line]
    for each in content:
        character -= width(each, encoding)
        if character < 0:
            break
        offset += 1
    return offset


def naive_position(text: str, offset: int, encoding: PositionEncoding) -> Position:
    number, (start, content) = max(
        (item for item in enumerate(naive_lines(text)) if item[1][0] <= offset),
        key=lambda item: item[0],
    )
    return Position(number, sum(width(each, encoding) for each in content[: offset - start]))


@given(texts(), st.integers(0, 12), st.integers(0, 40), ENCODINGS)
def test_offset_at_agrees_with_counting_by_hand(
    text: str, line: int, character: int, encoding: PositionEncoding
) -> None:
    assert LineIndex(text).offset_at(line, character, encoding) == naive_offset(
        text, line, character, encoding
    )


@given(st.data(), texts(), ENCODINGS)
def test_position_at_agrees_with_counting_by_hand(
    data: st.DataObject, text: str, encoding: PositionEncoding
) -> None:
    offset = data.draw(st.integers(0, len(text)))

    assert LineIndex(text).position_at(offset, encoding) == naive_position(text, offset, encoding)


@given(texts(), ENCODINGS)
def test_every_offset_but_the_middle_of_a_line_end_survives_the_round_trip(
    text: str, encoding: PositionEncoding
) -> None:
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        in_line_end = text[max(offset - 1, 0) : offset + 1] == "\r\n"
        expected = offset - 1 if in_line_end else offset

        assert index.offset_at(*index.position_at(offset, encoding), encoding) == expected


@pytest.mark.parametrize(
    ("encoding", "character", "expected"),
    [(UTF8, 1, 1), (UTF8, 3, 1), (UTF8, 5, 2), (UTF16, 2, 1), (UTF16, 3, 2), (UTF32, 2, 2)],
)
def test_a_position_inside_a_character_is_rounded_down_to_its_start(
    encoding: PositionEncoding, character: int, expected: int
) -> None:
    assert LineIndex("a𝒳b").offset_at(0, character, encoding) == expected


@pytest.mark.parametrize("encoding", PositionEncoding)
def test_between_the_halves_of_a_line_end_is_the_lines_end(encoding: PositionEncoding) -> None:
    assert LineIndex("ab\r\nc").position_at(3, encoding) == (0, 2)


def test_only_the_three_line_ends_of_the_protocol_end_a_line() -> None:
    # pygls splits with str.splitlines, which shifts every position below a form feed.
    assert LineIndex("a\x0cb\x0b\x1c\x85\u2028\u2029c\nd").position_at(10, UTF32) == (1, 0)


def test_past_the_end_means_the_end() -> None:
    index = LineIndex("ab\r\ncd")

    assert index.offset_at(0, 99, UTF16) == 2
    assert index.offset_at(1, 99, UTF16) == 6
    assert index.offset_at(2, 0, UTF16) == 6
    assert LineIndex("").offset_at(0, 1, UTF16) == 0


def test_a_text_that_ends_with_a_line_end_has_an_empty_last_line() -> None:
    assert LineIndex("ab\n").n_lines == 2
    assert LineIndex("ab\n").position_at(3, UTF8) == (1, 0)


def test_two_lone_surrogates_stay_two_characters() -> None:
    # Decoding UTF-16 would join the halves that two edits brought in.
    assert LineIndex("\ud83d\ude00x").offset_at(0, 1, UTF16) == 1
    assert LineIndex("\ud83d\ude00x").offset_at(0, 2, UTF16) == 2


@given(st.data(), st.integers(0, 3000), ENCODINGS)
def test_an_index_of_many_blocks_follows_edits(
    data: st.DataObject, n_lines: int, encoding: PositionEncoding
) -> None:
    index = LineIndex("é\r\na\r\n" * n_lines)
    for _ in range(3):
        start = data.draw(st.integers(0, len(index.text)))
        end = min(len(index.text), start + data.draw(st.sampled_from([0, 1, 2, 3, 9000])))
        new = data.draw(st.sampled_from(["", "\r", "\n", "x", "\n" * 2000, "\r\n"]))
        index = index.replaced(start, end, new)
    lines = naive_lines(index.text)

    assert [index.line_span(n) for n in range(index.n_lines)] == [
        (start, start + len(content)) for start, content in lines
    ]
    for number in {0, len(lines) // 2, len(lines) - 1}:
        start, content = lines[number]
        end = Position(number, sum(width(each, encoding) for each in content))
        assert index.position_at(start + len(content), encoding) == end
        assert index.offset_at(*end, encoding) == start + len(content)


def test_a_range_outside_the_text_is_our_bug_and_raises() -> None:
    with pytest.raises(ValueError, match="outside a text of 2"):
        LineIndex("ab").replaced(1, 3, "")


@pytest.mark.parametrize("offset", [-1, 3])
def test_an_offset_outside_the_text_is_our_bug_and_raises(offset: int) -> None:
    with pytest.raises(ValueError, match="outside the text of 2"):
        LineIndex("ab").position_at(offset, UTF8)


def test_a_line_that_is_not_there_has_no_span() -> None:
    assert LineIndex("ab\r\nc").line_span(0) == (0, 2)
    with pytest.raises(IndexError, match="has 2 lines"):
        LineIndex("ab\r\nc").line_span(2)
