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
