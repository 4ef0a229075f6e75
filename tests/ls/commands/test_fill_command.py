"""``dgemma-ls fill`` from arguments to exit code, on an engine that says what it is told."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dgemma_engine.errors import CheckpointError
from dgemma_engine.types import InfillResult, Slot, SlotKind
from dgemma_ls.cli import main
from tests.engines import Asked, StandIn, result

CODE = "def f(a):\n    return g()\n"


@dataclass
class FakeEngine(StandIn):
    texts: Sequence[str] = ("a",)
    max_span_tokens: int = 16
    asked: list[dict[str, Any]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def fill(self, asked: Asked) -> InfillResult:
        names = ("prefix", "suffix", "lengths", "multiline", "n_candidates", "seed", "slot")
        self.asked.append({name: getattr(asked, name) for name in names})
        self.meanwhile()
        return result(*self.texts, best=-0.5, forwards=7, milliseconds=123.4)


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Fill = Callable[..., Outcome]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(CODE.encode())
    return path


@pytest.fixture
def fill(path: Path, capsys: pytest.CaptureFixture[str]) -> Fill:
    def run(
        *options: str, at: str = "2:14", engine: FakeEngine | None = None, file: Path = path
    ) -> Outcome:
        engine = engine or FakeEngine()
        code = main(["fill", str(file), "--at", at, *options], load=lambda _: engine)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def check_bad_input(outcome: Outcome, message: str, path: Path | None = None) -> None:
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("dgemma-ls: error: ")
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
    if path is not None:
        assert path.read_bytes() == CODE.encode()


def test_the_best_candidate_is_shown_as_a_diff(fill: Fill, path: Path) -> None:
    outcome = fill(engine=FakeEngine(texts=("a", "b")))

    assert outcome == Outcome(
        0,
        f"--- {path}\n+++ {path} (filled)\n@@ -1,2 +1,2 @@\n"
        " def f(a):\n-    return g()\n+    return g(a)\n",
        "7 forwards, 123 ms\n",
    )
    assert path.read_bytes() == CODE.encode()


def test_the_diff_can_be_applied_by_patch_whatever_the_line_ends(fill: Fill, path: Path) -> None:
    path.write_bytes(b"x = 1\r\nf()")
    outcome = fill(at="2:3")

    assert outcome.out.splitlines(keepends=True)[2:] == [
        *("@@ -1,2 +1,2 @@\n", " x = 1\r\n", "-f()\n", "\\ No newline at end of file\n"),
        *("+f(a)\n", "\\ No newline at end of file\n"),
    ]


def test_json_is_one_object_with_places_from_1(fill: Fill) -> None:
    outcome = fill("--to", "2:15", "--json", engine=FakeEngine(texts=("(", ", a)", "a)")))

    assert outcome.code == 0
    assert json.loads(outcome.out) == {
        "text": "a)",
        "range": {"start": {"line": 2, "column": 14}, "end": {"line": 2, "column": 15}},
        "candidates": [{"text": "a)", "score": -2.5}],
        "forwards": 7,
        "milliseconds": 123.4,
        "refused": None,
    }


def test_the_engine_gets_all_text_around_the_span_and_the_options(fill: Fill) -> None:
    engine = FakeEngine()
    fill("--to", "2:14", "--candidates", "5", "--seed", "9", at="2:12", engine=engine)

    assert engine.asked == [
        {
            "prefix": "def f(a):\n    return ",
            "suffix": ")\n",
            "lengths": (1, 2, 3),
            "multiline": False,
            "n_candidates": 5,
            "seed": 9,
            "slot": None,
        }
    ]


def test_no_more_candidates_are_offered_than_asked_for(fill: Fill) -> None:
    engine = FakeEngine(texts=("a)", "b)", "c)"))
    outcome = fill("--to", "2:15", "--json", "--candidates", "2", engine=engine)

    assert [candidate["text"] for candidate in json.loads(outcome.out)["candidates"]] == [
        "a)",
        "b)",
    ]


def test_columns_count_characters(fill: Fill, path: Path) -> None:
    path.write_text("x = '𝒳é', \n", encoding="utf-8")
    engine = FakeEngine()
    fill(at="1:11", engine=engine)

    assert engine.asked[0]["prefix"] == "x = '𝒳é', "


def test_the_end_of_the_text_is_a_place(fill: Fill) -> None:
    engine = FakeEngine(texts=("x = 1\n",))

    assert fill(at="3:1", engine=engine).code == 0
    assert engine.asked[0]["suffix"] == ""


def test_write_changes_the_span_alone(fill: Fill, path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + CODE.replace("\n", "\r\n").encode())
    outcome = fill("--write", "--json", at="2:5", engine=FakeEngine(texts=("a = 1\n    ",)))

    assert outcome.code == 0
    assert path.read_bytes() == (b"\xef\xbb\xbfdef f(a):\r\n    a = 1\r\n    return g()\r\n")


@pytest.mark.parametrize(
    ("texts", "reason"),
    [((), "no_candidate"), (("(", "1 2"), "breaks_parse"), (("",), "empty")],
)
def test_a_refusal_says_why_and_writes_nothing(
    fill: Fill, path: Path, texts: tuple[str, ...], reason: str
) -> None:
    outcome = fill("--json", "--write", engine=FakeEngine(texts=texts))

    assert outcome.code == 1
    assert json.loads(outcome.out) == {
        "text": None,
        "range": {"start": {"line": 2, "column": 14}, "end": {"line": 2, "column": 14}},
        "candidates": [],
        "forwards": 7,
        "milliseconds": 123.4,
        "refused": reason,
    }
    assert path.read_bytes() == CODE.encode()


def test_a_refusal_without_json_is_a_sentence_on_stderr(fill: Fill) -> None:
    assert fill(engine=FakeEngine(texts=("(",))) == Outcome(
        1,
        "",
        "dgemma-ls: refused: every candidate would add a syntax error (7 forwards, 123 ms)\n",
    )


@pytest.mark.parametrize(
    ("at", "options", "message"),
    [
        ("4:1", (), "4:1 is past the end; the last line is 3"),
        ("2:16", (), "2:16 is past the end of line 2; its last column is 15"),
        ("2:5", ("--to", "2:4"), "--to 2:4 lies before --at 2:5"),
        ("2:5", ("--to", "9:1"), "9:1 is past the end"),
        ("1:1", ("--to", "2:15"), "the span has 24 tokens, more than the model's canvas of 16"),
        ("1:1", ("--model", "no/such/folder"), "no/such/folder is no model folder"),
    ],
)
@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_arguments_that_do_not_fit_the_file_are_bad_input(
    fill: Fill,
    path: Path,
    at: str,
    options: tuple[str, ...],
    message: str,
    json_option: tuple[str, ...],
) -> None:
    check_bad_input(fill(*options, *json_option, "--write", at=at), message, path)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "is empty"), (b"\xef\xbb\xbf", "is empty"), (b"a\0", "binary"), (b"\xff", "not UTF-8")],
)
def test_files_without_text_are_bad_input(
    fill: Fill, path: Path, data: bytes, message: str
) -> None:
    path.write_bytes(data)

    check_bad_input(fill("--write"), message)
    assert path.read_bytes() == data


def test_what_is_no_file_is_bad_input(fill: Fill, tmp_path: Path) -> None:
    check_bad_input(fill(file=tmp_path), "is a directory")
    check_bad_input(fill(file=tmp_path / "none.py"), "does not exist")
    check_bad_input(fill(file=tmp_path / "a\0b"), "is no file name")


def test_a_file_that_changes_while_the_model_works_is_left_alone(fill: Fill, path: Path) -> None:
    engine = FakeEngine(meanwhile=lambda: path.write_bytes(b"theirs\n"))

    check_bad_input(fill("--write", engine=engine), "changed meanwhile")
    assert path.read_bytes() == b"theirs\n"


def test_a_damaged_checkpoint_is_bad_input(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def load(_: str) -> FakeEngine:
        raise CheckpointError("model.safetensors is truncated;\n  fetch it again")

    code = main(["fill", str(path), "--at", "1:1", "--json"], load=load)
    captured = capsys.readouterr()

    check_bad_input(Outcome(code, captured.out, captured.err), "truncated; fetch it again", path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--at", "0:1"),
        ("--at", "3"),
        ("--at", f"1:{'9' * 5000}"),
        ("--at", "1:1", "--candidates", "0"),
        ("--at", "1:1", "--seed", str(2**63)),
        ("--at", "1:1", "--speed", "fast"),
        (),
    ],
)
def test_wrong_flags_are_explained_with_the_usage(
    path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fill", str(path), *arguments], load=lambda _: FakeEngine())
    captured = capsys.readouterr()

    assert (caught.value.code, captured.out) == (2, "")
    assert captured.err.startswith("usage: dgemma-ls")


def test_ctrl_c_ends_without_a_word(fill: Fill, path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert fill("--write", engine=FakeEngine(meanwhile=interrupt)) == Outcome(130, "", "")
    assert path.read_bytes() == CODE.encode()


def test_a_bug_of_ours_ends_with_a_traceback_and_its_own_code(fill: Fill) -> None:
    def bug() -> None:
        raise ZeroDivisionError

    outcome = fill(engine=FakeEngine(meanwhile=bug))

    assert (outcome.code, outcome.out) == (70, "")
    assert "ZeroDivisionError; please report" in outcome.err.splitlines()[-1]


def test_the_version_needs_neither_torch_nor_the_protocol_library() -> None:
    program = (
        "import sys\nfrom dgemma_ls.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert not {'torch', 'pygls', 'lsprotocol', 'tokenizers'} & set(sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("dgemma-ls ")


def test_a_closed_pipe_ends_without_a_traceback(path: Path) -> None:
    # The diff goes to a pipe whose reader is gone before the first byte.
    program = (
        "import os, sys\nfrom dgemma_ls.cli import main\n"
        "from tests.ls.commands.test_fill_command import FakeEngine\n"
        "reader, writer = os.pipe()\nos.dup2(writer, 1)\nos.close(writer)\nos.close(reader)\n"
        f"sys.exit(main(['fill', {str(path)!r}, '--at', '2:14'], load=lambda _: FakeEngine()))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert run.returncode == 141
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr


@pytest.mark.parametrize(
    ("line", "slot"),
    [
        ('x = "ab|c"', '"'),
        ("x = f('ab', 'c|')", "'"),
        ("x = \"it's\" + 'a\\'|b'", "'"),
        ('x = "a\\\\" + "|"', '"'),
        ("`${x}|`", "`"),
    ],
)
def test_the_inside_of_a_string_is_asked_for_with_its_quotation_mark(
    fill: Fill, path: Path, line: str, slot: str
) -> None:
    path.write_text(line.replace("|", "") + "\n")
    engine = FakeEngine()
    fill("--slot", "string", at=f"1:{line.index('|') + 1}", engine=engine)
    assert engine.asked[0]["slot"] == Slot(kind=SlotKind.STRING, quote=slot)


def test_other_slots_are_asked_for_by_name_and_none_by_default(fill: Fill) -> None:
    engine = FakeEngine()
    fill("--slot", "identifier", engine=engine)
    fill(engine=engine)
    assert [asked["slot"] for asked in engine.asked] == [Slot(kind=SlotKind.IDENTIFIER), None]


def test_a_string_that_is_not_open_is_said_at_once(fill: Fill, path: Path) -> None:
    for line in ("x = 1", "x = 'a'", 'x = "a" + f("b")'):
        path.write_text(line + "\n")
        outcome = fill("--slot", "string", at=f"1:{len(line) + 1}")
        check_bad_input(outcome, "no string is open")
