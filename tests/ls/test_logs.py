"""A canary stands for the document's text: it must never come out, whoever logs it."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_ls import logs

CANARY = "hunter2_canary"


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Set up logging as the server does, then put pytest's back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logging.raiseExceptions)
    path = tmp_path / "server.log"
    handler = logs.set_up(log_file=path, verbose=True)
    yield path
    handler.close()
    root.handlers[:], level, logging.raiseExceptions = before
    root.setLevel(level)


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR])
@pytest.mark.parametrize(
    "name",
    [
        "pygls.protocol.json_rpc",
        "asyncio",
        "concurrent.futures",
        "websockets.server",  # logs the frames it gets
        "filelock",
    ],
)
def test_of_other_packages_only_the_fixed_part_of_a_record_is_kept(
    log_file: Path, name: str, level: int
) -> None:
    logging.getLogger(name).log(level, "Sending data: %s", {"text": CANARY})
    by_hand = f"put together by hand: {CANARY}"
    logging.getLogger(name).log(level, by_hand)

    text = log_file.read_text()
    assert CANARY not in text
    if level >= logging.WARNING:  # below, pygls is not heard at all
        assert "Sending data: %s" in text
        assert "(test_logs.test_of_other_packages" in text


@pytest.mark.parametrize("name", ["pygls.server", "dgemma_ls.session", "dgemma_engine.worker"])
def test_exceptions_are_logged_with_stack_and_type_but_not_with_what_they_say(
    log_file: Path, name: str
) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as err:
            raise ValueError(f"cannot encode {CANARY}") from err
    except ValueError:
        logging.getLogger(name).exception("job %d failed", 3)

    text = log_file.read_text()
    assert CANARY not in text
    assert "failed" in text
    assert "KeyError" in text
    assert "ValueError" in text
    assert "test_logs.py" in text


def test_the_engines_own_errors_keep_their_sentence(log_file: Path) -> None:
    try:
        raise CheckpointError("model.safetensors is cut short; download it again")
    except CheckpointError:
        logging.getLogger("dgemma_engine.worker").exception("loading failed")

    assert "CheckpointError: model.safetensors is cut short" in log_file.read_text()


def test_our_own_records_pass_as_they_are(log_file: Path) -> None:
    logging.getLogger("dgemma_ls.session").debug("inline done: steps=%d ms=%d", 7, 183)

    assert "DEBUG dgemma_ls.session: inline done: steps=7 ms=183" in log_file.read_text()


def test_without_verbose_debug_records_are_left_out(tmp_path: Path, log_file: Path) -> None:
    quiet = tmp_path / "quiet.log"
    handler = logs.set_up(log_file=quiet, verbose=False)
    logging.getLogger("dgemma_ls").debug("detail")
    logging.getLogger("dgemma_ls").info("fact")
    handler.close()

    assert "detail" not in quiet.read_text()
    assert "fact" in quiet.read_text()


def test_a_record_that_cannot_be_formatted_says_nothing_on_stderr(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("dgemma_ls").info("too few: %s %s", CANARY)

    assert CANARY not in capsys.readouterr().err + log_file.read_text()


def test_other_handlers_still_see_the_whole_record(
    log_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Redaction makes a copy; an embedding program's own handlers are its own business."""
    logger = logging.getLogger("pygls.server")
    logger.addHandler(caplog.handler)
    try:
        logger.warning("value %s", 42)
    finally:
        logger.removeHandler(caplog.handler)

    assert "value 42" in caplog.text


# Names under which document text goes through the code.
TEXTS = {
    "text", "texts", "prefix", "suffix", "old_text", "new_text", "insert_text", "source", "line",
    "snapshot", "params", "message", "candidate", "candidates", "edit", "edits", "request",
    "record", "body", "data", "tokens", "token_ids", "ids", "canvas",
}  # fmt: skip
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# A sentence that was made for the user or by the protocol, never of a document.
MADE_BY_US = {"refusal.message", "message.method", "tell:message"}


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Find every call of a module's logger in both packages, with where it stands."""
    root = Path(logs.__file__).parents[1]
    for folder in (root / "dgemma_ls", root / "engine" / "dgemma_engine"):
        for path in sorted(folder.rglob("*.py")):
            if "train" in path.parts:  # reads no user's documents
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    for node in ast.walk(function):
                        if (
                            isinstance(node, ast.Call)
                            and isinstance(node.func, ast.Attribute)
                            and isinstance(node.func.value, ast.Name)
                            and node.func.value.id == "log"
                            and node.func.attr in LEVELS
                        ):
                            yield f"{path.stem}.{function.name}:{node.lineno}", node


def names_in(node: ast.expr) -> set[str]:
    """The last names of what goes into a record; a length or a type says nothing of a text."""
    if isinstance(node, ast.Call):
        harmless = ast.unparse(node.func) in ("len", "type", "round", "int")
        return set() if harmless else {name for arg in node.args for name in names_in(arg)}
    if isinstance(node, ast.Attribute):
        inner = node.value
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "type":
            return set()
        return {node.attr}
    if isinstance(node, ast.Name):
        return {node.id}
    children = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
    return {name for child in children for name in names_in(child)}


LOG_CALLS = dict(log_calls())


@pytest.mark.parametrize("where", LOG_CALLS)
def test_no_log_line_of_ours_takes_a_text_in(where: str) -> None:
    call = LOG_CALLS[where]
    template, *values = call.args
    function = where.partition(":")[0].rpartition(".")[2]

    assert isinstance(template, ast.Constant), "a template is fixed: % and not an f-string"
    for value in values:
        written = ast.unparse(value)
        if written in MADE_BY_US or f"{function}:{written}" in MADE_BY_US:
            continue
        assert not names_in(value) & TEXTS, f"{written} may hold a document's text"


def test_the_log_lines_are_found() -> None:
    found = {where.partition(":")[0] for where in LOG_CALLS}

    assert {"session.answer", "transports._talk", "worker._try_to_load"} <= found
