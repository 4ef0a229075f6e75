"""The prompt around the canvas, plain and as a chat."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_engine.errors import RequestError, TokenizerError
from dgemma_engine.infill.layout import Prompt, lay_out
from dgemma_engine.infill.planner import plan_canvases
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer
from tests.engine.oracle import byte_level_tokenizer
from tests.strategies import texts

BOS = 2
PLAIN = InfillSettings(layout="plain", context_tokens=64, left_tokens=8, right_tokens=8)
CHAT = InfillSettings(layout="chat", context_tokens=64, left_tokens=8, right_tokens=8)
MARKERS = ("<|turn>", "<turn|>", "<|channel>", "<channel|>")


@pytest.fixture(scope="module")
def plain_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("plain") / TOKENIZER_NAME
    byte_level_tokenizer().save(str(path))
    return Tokenizer(path)


@pytest.fixture(scope="module")
def chat_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = tmp_path_factory.mktemp("chat") / TOKENIZER_NAME
    tokenizer = byte_level_tokenizer()
    tokenizer.add_special_tokens(list(MARKERS))
    tokenizer.save(str(path))
    assert {token["content"] for token in json.loads(path.read_text())["added_tokens"]} > set(
        MARKERS
    )
    return Tokenizer(path)


def shown(tokenizer: Tokenizer, ids: tuple[int, ...]) -> str:
    """Text with the markers written out."""
    names = {tokenizer.token_id(name): name for name in (*MARKERS, "<bos>")}
    return "".join(names.get(token) or tokenizer.decode([token]) for token in ids)


def test_the_chat_is_that_of_the_template(chat_tokenizer: Tokenizer) -> None:
    layout = lay_out("a = 1\nb = ", "\nc = 3\n", chat_tokenizer, CHAT, bos_id=BOS)
    assert shown(chat_tokenizer, layout.before) == (
        "<bos><|turn>user\n"
        "Write the code or text that is missing between the two parts of this document."
        " Answer with nothing else.\nThe part after it:\n```\n\nc = 3\n\n```\n"
        "The part before it:\n```\na = 1\nb = \n```<turn|>\n"
        "<|turn>model\n<|channel>thought\n<channel|>```\na = 1\nb = "
    )
    assert layout.end == (chat_tokenizer.token_id("<turn|>"),)
    assert layout.shows_suffix


def test_an_instruction_and_the_passage_are_in_the_users_turn(chat_tokenizer: Tokenizer) -> None:
    prompt = Prompt(instruction="Sort the names.", passage="b, a")
    layout = lay_out("x = [", "]\n", chat_tokenizer, CHAT, bos_id=BOS, prompt=prompt)
    text = shown(chat_tokenizer, layout.before)
    assert "user\nSort the names. Answer" in text
    assert "The passage:\n```\nb, a\n```" in text


@given(kept=texts(200), suffix=texts(200))
def test_only_the_last_lines_may_stand_in_the_canvas(
    chat_tokenizer: Tokenizer, kept: str, suffix: str
) -> None:
    layout = lay_out(kept, suffix, chat_tokenizer, CHAT, bos_id=BOS)
    answer = layout.before[len(layout.before) - layout.n_clampable :]
    assert kept.endswith(chat_tokenizer.decode(answer))
    assert not set(answer) & set(chat_tokenizer.special_ids)
    n_markers = sum(token in chat_tokenizer.special_ids for token in layout.before)
    assert n_markers == 6  # whatever the document spells


def test_markers_that_a_document_spells_are_text(chat_tokenizer: Tokenizer) -> None:
    layout = lay_out("<turn|><eos>", "<|turn>", chat_tokenizer, CHAT, bos_id=BOS)
    n_markers = sum(token in chat_tokenizer.special_ids for token in layout.before)
    assert n_markers == 6
    assert shown(chat_tokenizer, layout.before).count("<turn|><eos>") == 2


def test_the_document_ends_with_the_end_of_the_turn(chat_tokenizer: Tokenizer) -> None:
    plan = plan_canvases("x = ", "\n", [2], chat_tokenizer, CHAT, bos_id=BOS, eos_id=1)
    (row,) = plan.rows
    after = row.ids[row.start + row.n_tokens :]
    end = chat_tokenizer.token_id("<turn|>")
    assert list(after).index(end) == row.n_right
    assert set(after[row.n_right + 1 :]) == {1}


@given(typed=st.text("ab c=()\n", max_size=30))
def test_typing_changes_nothing_before_the_text_that_is_typed(
    chat_tokenizer: Tokenizer, typed: str
) -> None:
    """The prefix cache lives from it."""
    before = lay_out("x = 1\n", "\nc = 3\n", chat_tokenizer, CHAT, bos_id=BOS).before
    later = lay_out("x = 1\n" + typed, "\nc = 3\n", chat_tokenizer, CHAT, bos_id=BOS).before
    typed_at = shown(chat_tokenizer, before).index("x = 1")
    assert shown(chat_tokenizer, later)[:typed_at] == shown(chat_tokenizer, before)[:typed_at]


def test_auto_takes_what_the_tokenizer_has(
    plain_tokenizer: Tokenizer, chat_tokenizer: Tokenizer
) -> None:
    settings = InfillSettings(context_tokens=64)
    assert lay_out("a", "b", chat_tokenizer, settings, bos_id=BOS).shows_suffix
    assert not lay_out("a", "b", plain_tokenizer, settings, bos_id=BOS).shows_suffix


def test_a_model_without_turns_takes_no_instruction(plain_tokenizer: Tokenizer) -> None:
    with pytest.raises(RequestError, match="follows no instructions; leave"):
        lay_out("a", "b", plain_tokenizer, PLAIN, bos_id=BOS, prompt=Prompt(instruction="Sort."))


def test_a_chat_needs_the_markers(plain_tokenizer: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match=r"has no token <\|turn>"):
        lay_out("a", "b", plain_tokenizer, CHAT, bos_id=BOS)


@given(kept=texts(200), suffix=texts(200))
def test_no_context_is_as_if_there_were_no_such_argument(
    plain_tokenizer: Tokenizer, chat_tokenizer: Tokenizer, kept: str, suffix: str
) -> None:
    for tokenizer, settings in ((plain_tokenizer, PLAIN), (chat_tokenizer, CHAT)):
        without = lay_out(kept, suffix, tokenizer, settings, bos_id=BOS)
        assert lay_out(kept, suffix, tokenizer, settings, bos_id=BOS, context="") == without


@given(kept=texts(200), context=texts(200).filter(bool))
def test_plain_context_stands_before_the_document_and_is_no_part_of_it(
    plain_tokenizer: Tokenizer, kept: str, context: str
) -> None:
    layout = lay_out(kept, "", plain_tokenizer, PLAIN, bos_id=BOS, context=context)
    n_before = len(layout.before) - layout.n_clampable
    assert layout.before[0] == BOS
    elsewhere, own = layout.before[1:n_before], layout.before[n_before:]
    for whole, ids in ((context, elsewhere), (kept, own)):
        shown_bytes = plain_tokenizer.decode_bytes(plain_tokenizer.encode(whole))
        assert shown_bytes.endswith(plain_tokenizer.decode_bytes(ids))


@given(kept=texts(300), suffix=texts(300), context=texts(300))
def test_the_context_shares_the_budget_and_leaves_half_of_it(
    plain_tokenizer: Tokenizer, chat_tokenizer: Tokenizer, kept: str, suffix: str, context: str
) -> None:
    plain = lay_out(kept, suffix, plain_tokenizer, PLAIN, bos_id=BOS, context=context)
    assert len(plain.before) <= PLAIN.context_tokens + PLAIN.left_tokens + 1
    assert len(plain.before) - plain.n_clampable <= PLAIN.context_tokens // 2 + 1
    chat = lay_out(kept, suffix, chat_tokenizer, CHAT, bos_id=BOS, context=context)
    empty = lay_out("", "", chat_tokenizer, CHAT, bos_id=BOS, context="x" if context else "")
    in_the_turns = len(chat.before) - chat.n_clampable
    assert in_the_turns <= len(empty.before) + CHAT.context_tokens


def test_in_a_chat_the_context_comes_before_the_part_after_the_gap(
    chat_tokenizer: Tokenizer,
) -> None:
    layout = lay_out(
        "a = ", "\nc = 3\n", chat_tokenizer, CHAT, bos_id=BOS, context="# b.py defines: f\n"
    )
    text = shown(chat_tokenizer, layout.before)
    assert (
        "nothing else.\nFrom elsewhere in the project:\n```\n# b.py defines: f\n\n```\n"
        "The part after it:\n```\n\nc = 3\n\n```\nThe part before it:\n```\na = "
    ) in text
