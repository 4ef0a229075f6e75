"""Texts → canvases: nothing outside of the span is lost, moved or invented."""

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dgemma_engine.errors import RequestError
from dgemma_engine.infill.planner import (
    CanvasPlan,
    max_span_tokens,
    plan_canvases,
)
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer, load_tokenizer
from tests.engine.oracle import byte_level_tokenizer
from tests.strategies import python_texts, texts

BOS, EOS = 2, 1
SETTINGS = InfillSettings(
    context_tokens=64, canvas_tokens=48, left_tokens=8, right_tokens=8, n_steps=3
)
documents = st.one_of(
    texts(),
    python_texts(),
    st.text(max_size=30),
    st.sampled_from(["", " ", "x", "__init", "foo_", "größe", "a ", "\ud83d", "return  "]),
)


def plan(
    tokenizer: Tokenizer,
    prefix: str,
    suffix: str,
    lengths: tuple[int, ...] = (1, 2, 5),
    settings: InfillSettings = SETTINGS,
    canvas_length: int = 256,
) -> CanvasPlan:
    return plan_canvases(
        prefix,
        suffix,
        list(lengths),
        tokenizer,
        settings,
        bos_id=BOS,
        eos_id=EOS,
        canvas_length=canvas_length,
    )


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def check(tokenizer: Tokenizer, prefix: str, suffix: str, made: CanvasPlan) -> None:
    """What is known on both sides is the text that is there, next to the span without a gap."""
    before = [*made.context_ids, *made.left_ids]
    known_before = tokenizer.decode_bytes(before) + utf8(made.head)
    assert utf8(prefix).endswith(known_before)
    assert (BOS in before) == (known_before == utf8(prefix))
    assert BOS not in before[1:]
    known_after = tokenizer.decode_bytes(made.right_ids)
    assert utf8(suffix).startswith(known_after)
    for row in made.rows:
        end = row.start + row.n_tokens
        assert row.ids[: row.start] == made.left_ids + row.given
        assert row.ids[end : end + row.n_right] == made.right_ids[: row.n_right]
        fill = row.ids[end + row.n_right :]
        assert set(fill) <= {EOS}
        if fill:  # the end of the document, and nothing else, is filled up
            assert known_after == utf8(suffix)
        assert utf8(made.head) in (row.must_start, tokenizer.decode_bytes(row.given))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(prefix=documents, suffix=documents)
@example(prefix="", suffix="")
@example(prefix="a\r\n", suffix="\r\nb")
@example(prefix="x = \ud83d", suffix="\ude00 = y")
@example(prefix="<bos>", suffix="<eos>")
def test_the_known_text_around_the_span_is_the_documents(
    byte_level: Tokenizer, byte_fallback: Tokenizer, prefix: str, suffix: str
) -> None:
    for tokenizer in (byte_level, byte_fallback):
        check(tokenizer, prefix, suffix, plan(tokenizer, prefix, suffix))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 200), min_size=1, max_size=5),
    left_tokens=st.integers(0, 24),
    right_tokens=st.integers(0, 24),
    canvas_tokens=st.sampled_from([16, 64, 100, 256]),
    n_lines=st.sampled_from([0, 1, 40]),
)
def test_canvases_of_a_plan_are_equally_long_and_of_few_lengths(
    byte_level: Tokenizer,
    lengths: list[int],
    left_tokens: int,
    right_tokens: int,
    canvas_tokens: int,
    n_lines: int,
) -> None:
    chosen = InfillSettings(
        context_tokens=64,
        canvas_tokens=canvas_tokens,
        left_tokens=left_tokens,
        right_tokens=right_tokens,
    )
    text = "value = read(path, encoding)\n" * n_lines

    made = plan(byte_level, text, text, tuple(lengths), chosen)

    check(byte_level, text, text, made)
    assert [row.n_tokens for row in made.rows] == list(dict.fromkeys(lengths))
    sizes = {len(row.ids) for row in made.rows}
    assert len(sizes) == 1
    size = sizes.pop()
    assert size <= 256
    assert size % 16 == 0 or size == canvas_tokens
    for row in made.rows:
        assert row.start == len(made.left_ids) <= left_tokens
        # At least as many known tokens follow as the settings ask for, if there are so many.
        assert row.n_right >= min(right_tokens, len(byte_level.encode(text)))


def test_the_usual_canvas_grows_only_for_long_spans(byte_level: Tokenizer) -> None:
    text = "value = read(path)\n" * 40
    assert len(plan(byte_level, text, text, (1, 32)).rows[0].ids) == 48
    assert len(plan(byte_level, text, text, (1, 33)).rows[0].ids) == 64
    assert len(plan(byte_level, text, text, (240,)).rows[0].ids) == 256


def test_lengths_out_of_range_are_refused_with_the_range(byte_level: Tokenizer) -> None:
    assert max_span_tokens(SETTINGS, 256) == 240
    assert max_span_tokens(SETTINGS, 64) == 48
    for lengths in ((), (0,), (1, -1), (241,), (5, 300)):
        with pytest.raises(RequestError, match=r"1\.\.240"):
            plan(byte_level, "a", "b", lengths)
    with pytest.raises(RequestError, match=r"1\.\.48"):
        plan(byte_level, "a", "b", (49,), canvas_length=64)


def test_a_small_model_gets_small_canvases(byte_level: Tokenizer) -> None:
    text = "value = read(path)\n" * 40
    for canvas_length in (20, 40, 64):
        made = plan(byte_level, text, text, (1, 4), canvas_length=canvas_length)
        assert {len(row.ids) for row in made.rows} == {min(48, canvas_length)}
        check(byte_level, text, text, made)


@pytest.mark.parametrize("canvas_length", [4, 8])
def test_clamps_give_way_where_the_model_has_a_tiny_canvas(
    byte_level: Tokenizer, canvas_length: int
) -> None:
    text = "value = read(path)\n" * 40
    made = plan(byte_level, text, text, (1,), canvas_length=canvas_length)
    assert {len(row.ids) for row in made.rows} == {canvas_length}


def start_of_context(tokenizer: Tokenizer, text: str) -> int:
    """Offset in UTF-8 of the first byte that the model reads."""
    made = plan(tokenizer, text, "")
    known = tokenizer.decode_bytes([*made.context_ids, *made.left_ids]) + utf8(made.head)
    return len(utf8(text)) - len(known)


def test_typing_does_not_move_the_start_of_what_is_read(byte_level: Tokenizer) -> None:
    """Otherwise each keystroke would encode everything again; it may jump once in a while."""
    before = "".join(f"    value_{idx} = read(path, {idx})\n" for idx in range(100))
    typed = "    result = [value for value in values if value is not None]\n" * 2
    starts = [
        start_of_context(byte_level, before + typed[:n_typed]) for n_typed in range(len(typed))
    ]
    moves = sum(a != b for a, b in itertools.pairwise(starts))
    assert moves <= len(byte_level.encode(typed)) / (SETTINGS.context_tokens / 4) + 1
    assert min(starts) > 0
    assert starts == sorted(starts)


def test_a_long_document_is_read_from_a_line_start_within_the_budget(
    byte_level: Tokenizer,
) -> None:
    text = "".join(f"v{idx} = {idx}\n" for idx in range(500))
    made = plan(byte_level, text, text)
    ids = [*made.context_ids, *made.left_ids]
    assert len(ids) <= 64 + 8
    assert len(ids) >= 36
    assert BOS not in ids
    check(byte_level, text, text, made)


def test_one_enormous_line_is_cut_and_read(byte_level: Tokenizer) -> None:
    text = "[" + "1, " * 5000
    made = plan(byte_level, text, text)
    assert 36 <= len(made.context_ids) + len(made.left_ids) <= 72
    check(byte_level, text, text, made)


@pytest.mark.parametrize("n_lines", [16, 32, 48])
def test_long_lines_do_not_cost_the_context(byte_level: Tokenizer, n_lines: int) -> None:
    """Prose has its paragraphs in one line each."""
    text = ("lorem ipsum dolor sit amet " * 3 + "\n") * n_lines
    made = plan(byte_level, text, "")
    assert len(made.context_ids) + len(made.left_ids) >= 36


def test_the_end_is_filled_only_where_the_document_ends(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rules and deep indentation are tokens of dozens of characters."""
    folder = tmp_path_factory.mktemp("ruled")
    ruler = "#" + "-" * 60 + "\n"
    byte_level_tokenizer(ruler * 20).save(str(folder / TOKENIZER_NAME))
    tokenizer = load_tokenizer(folder)
    check(tokenizer, "x\n", ruler * 40, plan(tokenizer, "x\n", ruler * 40))


def test_the_plan_depends_on_its_arguments_only(byte_level: Tokenizer) -> None:
    text = "def f(path):\n    return read(pa"
    assert plan(byte_level, text, ")\n") == plan(byte_level, text, ")\n")
    doubled = plan(byte_level, text, ")\n", (2, 1, 2))
    assert [row.n_tokens for row in doubled.rows] == [2, 1]
