"""The whole path as installed: ``python -m dgemma_ls`` with the embedded model.

What it suggests is the model's business; that it is well-formed, parses and is the same for the
same text is ours.
"""

import ast
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import REAL_SERVER, ROOT, Wire

pytestmark = pytest.mark.e2e

URI = "file:///real.py"
UNITS = {"utf-8": 4, "utf-16": 2, "utf-32": 1}  # of one astral character
BEFORE = 'crab = "\U0001f980"; total = '
SOURCE = f"def add(first: int, second: int) -> int:\n    {BEFORE}\n    return total\n"
COLUMN = 4 + len(BEFORE)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """One server for all tests that can share it, as torch takes seconds to import."""
    wire = Wire(REAL_SERVER, tmp_path_factory.mktemp("real") / "stderr.txt")
    try:
        wire.initialize()
        yield wire
        wire.leave()
        assert wire.notifications == []
    finally:
        wire.destroy()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_suggestion_is_an_insertion_at_the_cursor_that_parses(
    start_server: Callable[..., Wire], encoding: str
) -> None:
    wire = start_server(REAL_SERVER)
    wire.initialize(encoding=encoding)
    wire.open(URI, SOURCE)
    cursor = COLUMN - 1 + UNITS[encoding]

    items = wire.inline(URI, 1, cursor)

    assert items, "the model had nothing to offer for a plain assignment"
    at = {"line": 1, "character": cursor}
    lines = SOURCE.split("\n")
    for item in items:
        assert item["range"] == {"start": at, "end": at}
        assert "\n" not in item["insertText"]
        line = lines[1][:COLUMN] + item["insertText"] + lines[1][COLUMN:]
        ast.parse("\n".join([lines[0], line, *lines[2:]]))
    wire.leave()


def test_the_same_text_gets_the_same_suggestions(real: Wire) -> None:
    # In two documents: of one, what was suggested is remembered.
    texts = []
    for uri in (URI, "file:///same.py"):
        real.open(uri, SOURCE)
        texts.append([item["insertText"] for item in real.inline(uri, 1, COLUMN + 1)])

    assert texts[0] == texts[1]


def test_the_rest_of_a_suggestion_is_there_when_its_beginning_was_typed(real: Wire) -> None:
    real.open(URI, SOURCE)
    text = real.inline(URI, 1, COLUMN + 1)[0]["insertText"]
    real.type(URI, 1, COLUMN + 1, text[0], version=2)
    counters = real.request("dgemma/status")["result"]["counters"]

    items = real.answer(real.start_inline(URI, 1, COLUMN + 2, kind=2))["result"]["items"]

    assert len(text) > 1, "the model had only one character to offer"
    assert text[1:] in [item["insertText"] for item in items]
    after = real.request("dgemma/status")["result"]["counters"]
    assert after["typed_through"] == counters.get("typed_through", 0) + 1
    assert after["answered"] == counters["answered"]


def test_initialize_does_not_wait_for_the_model(start_server: Callable[..., Wire]) -> None:
    wire = start_server(REAL_SERVER)
    started = time.monotonic()
    wire.initialize()
    initialized_s = time.monotonic() - started
    wire.open(URI, SOURCE)
    wire.inline(URI, 1, COLUMN + 1)
    with_model_s = time.monotonic() - started

    # The process's own start is in both; importing torch is only in the second.
    assert initialized_s < with_model_s / 2
    wire.leave()


@pytest.mark.parametrize("language_id", ["javascript", "typescript", "json", "markdown", "cobol"])
def test_every_language_is_answered(real: Wire, language_id: str) -> None:
    real.open(URI, '{"a": }\n', language_id)

    assert isinstance(real.inline(URI, 0, 6), list)


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", "\ufeff", "\ud83d", "x" * 20_000])
def test_odd_documents_are_answered(real: Wire, text: str) -> None:
    real.open(URI, text)

    assert isinstance(real.inline(URI, 0, 5), list)
    assert isinstance(real.inline(URI, 99, 99), list)


def test_typing_through_a_file_answers_every_request(real: Wire) -> None:
    """Type on in a large file without waiting, as a fast typist does; only the last may count."""
    source = (ROOT / "dgemma_ls" / "server.py").read_text() * 8
    real.open(URI, source + "\n")
    line = source.count("\n")
    requests = []
    for n_typed, character in enumerate("result = value"):
        at = {"line": line, "character": n_typed}
        change = {"range": {"start": at, "end": at}, "text": character}
        real.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": URI, "version": 2 + n_typed},
                "contentChanges": [change],
            },
        )
        requests.append(real.start_inline(URI, line, n_typed + 1, kind=2))

    answers = [real.answer(request)["result"]["items"] for request in requests]

    assert not any(answers[:-1])


def test_a_cancelled_request_is_answered_once(real: Wire) -> None:
    real.open(URI, SOURCE)
    real.inline(URI, 1, COLUMN + 1)  # now the model is there
    real.open(URI, SOURCE.replace("total", "result"))
    request = real.start_inline(URI, 1, COLUMN + 1)
    real.notify("$/cancelRequest", {"id": request})

    answer = real.answer(request)

    # It may have been faster than the cancellation.
    assert "result" in answer or answer["error"]["code"] == -32800


def test_a_model_folder_that_does_not_exist_is_told_once_and_the_server_lives(
    start_server: Callable[..., Wire], tmp_path: Path
) -> None:
    wire = start_server(REAL_SERVER)
    wire.initialize({"model": str(tmp_path / "nowhere")})
    wire.open(URI, SOURCE)
    answer = wire.answer(wire.start_inline(URI, 1, COLUMN + 1))

    assert answer["error"]["code"] == -32803
    assert "nowhere" in answer["error"]["message"]
    assert wire.answer(wire.start_inline(URI, 1, COLUMN + 1, kind=2))["result"]["items"] == []
    wire.leave()
    (told,) = wire.notifications
    assert "nowhere" in told["params"]["message"]


def test_it_is_gone_within_two_seconds_of_the_end_of_input(
    start_server: Callable[..., Wire],
) -> None:
    wire = start_server(REAL_SERVER)
    wire.initialize()
    wire.open(URI, SOURCE)
    wire.inline(URI, 1, COLUMN + 1)
    wire.start_inline(URI, 2, 4)
    started = time.monotonic()
    wire.hang_up()

    assert wire.wait_for_exit() == 1
    assert time.monotonic() - started < 2.0
    wire.check_trace()


def test_no_document_text_is_logged(start_server: Callable[..., Wire], tmp_path: Path) -> None:
    log_file = tmp_path / "server.log"
    wire = start_server([*REAL_SERVER, "--verbose", "--log-file", str(log_file)])
    wire.initialize()
    wire.open(URI, "hunter2_canary = \n")
    wire.inline(URI, 0, 17)
    wire.leave()

    log = log_file.read_text()
    assert "inline done" in log
    assert "hunter2" not in log


def test_a_rewrite_parses_and_leaves_every_byte_around_the_selection(real: Wire) -> None:
    uri, line = "file:///rewritten.py", 'crab = "\U0001f980"; total = first + second'
    source = f"def add(first: int, second: int) -> int:\n    {line}\n    return total\n"
    start = {"line": 1, "character": 4 + len('crab = "\U0001f980"; ') + 1}
    end = {"line": 1, "character": 4 + len(line) + 1}
    real.open(uri, source)
    data = {"by": "rewrite", "uri": uri, "version": 1, "range": {"start": start, "end": end}}
    action = {"title": "Rewrite", "data": {**data, "strength": 0.7}}

    answer = real.request("codeAction/resolve", action)

    edits = answer["result"]["edit"]["changes"][uri]
    assert edits, "the model had nothing to offer for a plain sum"
    lines = source.split("\n")
    units = lines[1].encode("utf-16-le")
    for edit in sorted(edits, key=lambda it: it["range"]["start"]["character"], reverse=True):
        low, high = (edit["range"][it]["character"] for it in ("start", "end"))
        assert start["character"] <= low <= high <= end["character"]
        assert edit["range"]["start"]["line"] == edit["range"]["end"]["line"] == 1
        units = units[: 2 * low] + edit["newText"].encode("utf-16-le") + units[2 * high :]
    after = units.decode("utf-16-le")
    assert after.startswith('    crab = "\U0001f980"; ')
    ast.parse("\n".join([lines[0], after, *lines[2:]]))
