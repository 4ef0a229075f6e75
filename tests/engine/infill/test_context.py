"""Text of elsewhere: every request reads it before the document, and never as a part of it."""

from collections.abc import Callable
from typing import Any

import pytest

from dgemma_engine.engine import Engine
from dgemma_engine.tokenizer import TOKENIZER_NAME, Tokenizer
from dgemma_engine.types import Span
from tests.engine.conftest import Pair
from tests.engine.infill.test_layout import MARKERS
from tests.engine.oracle import TRAINING_TEXT, byte_level_tokenizer

PREFIX, SUFFIX = TRAINING_TEXT.split("path).split", 1)
PREFIX = PREFIX[-100:]
CONTEXT = "# b.py: area(w, h)\n"  # fits into half of the fixture's 64 tokens
TOLD = f"From elsewhere in the project:\n```\n{CONTEXT}\n```\n"


def fill(engine: Engine, **options: Any) -> object:
    return engine.infill(PREFIX, SUFFIX, lengths=(2,), steps=2, **options).candidates


def rewrite(engine: Engine, **options: Any) -> object:
    return engine.rewrite(PREFIX, "path", SUFFIX, steps=2, **options).candidates


def fill_jointly(engine: Engine, **options: Any) -> object:
    at = len(PREFIX)
    spans = [Span(start=at, end=at), Span(start=at + 4, end=at + 6)]
    return engine.infill_jointly(PREFIX + SUFFIX, spans, steps=2, **options).candidates


asked = pytest.mark.parametrize("ask", [fill, rewrite, fill_jointly])
Ask = Callable[..., object]


@pytest.fixture(scope="module")
def chat(textual: Pair, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The toy model with a tokenizer that has turn markers, whose ids it has to spare."""
    path = tmp_path_factory.mktemp("chat") / TOKENIZER_NAME
    tokenizer = byte_level_tokenizer()
    tokenizer.add_special_tokens(list(MARKERS))
    tokenizer.save(str(path))
    engine = textual.engine
    return Engine(
        engine.model,
        engine.generation_config,
        tokenizer=Tokenizer(path),
        infill_settings=engine.infill_settings,
    )


def read_by(engine: Engine, ask: Ask, context: str) -> list[str]:
    """What the encoder has read for a request."""
    engine.prefixes.clear()
    ask(engine, context=context)
    texts = [engine.tokenizer.decode(entry.token_ids) for entry in engine.prefixes._entries]
    assert texts
    return texts


@asked
def test_a_plain_model_reads_it_and_then_the_document(textual: Pair, ask: Ask) -> None:
    for text in read_by(textual.engine, ask, CONTEXT):
        assert text.removeprefix("<bos>").startswith(CONTEXT)
        # Where gaps are filled one after the other, what the first one got is read as well.
        assert text.rpartition(CONTEXT)[2][:20] in PREFIX


@asked
def test_a_chat_tells_of_it_in_a_fence_of_its_own(chat: Engine, ask: Ask) -> None:
    for text in read_by(chat, ask, CONTEXT):
        assert text.count(CONTEXT) == 1
        assert TOLD in text


@asked
def test_of_an_empty_one_nothing_is_said_and_nothing_changes(
    textual: Pair, chat: Engine, ask: Ask
) -> None:
    for engine in (textual.engine, chat):
        assert not any("elsewhere" in text for text in read_by(engine, ask, ""))
        assert ask(engine, context="") == ask(engine)
