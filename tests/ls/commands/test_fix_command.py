"""``dgemma-ls fix`` from arguments to exit code."""

import json
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import pytest

from dgemma_ls.cli import main
from dgemma_ls.features.typos import prepare

TEXT = "This is teh file that the server reads.\nIt returns the the value, a error is raised.\n"
MENDED = "This is the file that the server reads.\nIt returns the value, an error is raised.\n"
RIGHT = "This is the file that the server reads when it starts.\n"


def no_engine(model: str) -> NoReturn:
    raise AssertionError(f"{model} was loaded")


def fix(*arguments: object) -> int:
    return main(["fix", "--no-model", *map(str, arguments)], load=no_engine)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another user's configuration, so that the own dictionary has no say."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: folder)
    return folder


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "a.md"
    path.write_text(TEXT)
    return path


def test_typos_are_shown_by_line_and_column_and_the_file_stays(
    wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fix(wrong) == 1
    out, err = capsys.readouterr()
    assert f"{wrong}:1:9: “teh” should be “the” [nonword, safe" in out
    assert f"{wrong}:2:15: “the” is one too many [doubled" in out
    assert err == "dgemma-ls: 3 typos found in 1 of 1 file\n"
    assert wrong.read_text() == TEXT


def test_nothing_found_is_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.md"
    path.write_text(RIGHT)
    assert fix(path) == 0
    assert capsys.readouterr().out == ""


def test_write_mends_and_then_nothing_is_left(wrong: Path) -> None:
    assert fix(wrong, "--write", "--quiet") == 1
    assert wrong.read_text() == MENDED
    assert fix(wrong, "--write", "--quiet") == 0


def test_line_ends_and_byte_order_marks_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert fix(path, "--write") == 1
    assert path.read_bytes() == b"\xef\xbb\xbf" + MENDED.replace("\n", "\r\n").encode()


def test_a_diff_can_be_applied(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fix(wrong, "--diff", "--quiet") == 1
    patch = capsys.readouterr().out.replace(str(wrong), wrong.name)
    subprocess.run(
        ["git", "apply", "--unsafe-paths", "-"],
        input=patch,
        text=True,
        check=True,
        cwd=wrong.parent,
    )
    assert wrong.read_text() == MENDED


def test_json_has_places_and_tiers(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fix(wrong, "--json")
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert rows[0] == {
        "path": str(wrong),
        "line": 1,
        "column": 9,
        "end_line": 1,
        "end_column": 12,
        "old": "teh",
        "new": "the",
        "kind": "nonword",
        "tier": "safe",
        "probability": pytest.approx(0.99, abs=0.01),
        "others": rows[0]["others"],
    }
    lines = wrong.read_text().split("\n")
    for row in rows:
        assert lines[row["line"] - 1][row["column"] - 1 : row["end_column"] - 1] == row["old"]


def test_sarif_names_rule_place_and_fix(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fix(wrong, "--sarif")
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    result = run["results"][0]
    assert result["ruleId"] == "nonword"
    assert result["locations"][0]["physicalLocation"]["region"]["startColumn"] == 9
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "the"}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {"nonword", "doubled"}


def test_sarif_is_what_the_official_schema_says_and_its_paths_are_uris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text())
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a folder" / "ä.md"
    path.parent.mkdir()
    path.write_text(TEXT)
    for named, uri in (
        (path.relative_to(tmp_path), "a%20folder/%C3%A4.md"),
        (path, path.as_uri()),
    ):
        assert fix(named, "--sarif") == 1
        log = json.loads(capsys.readouterr().out)
        jsonschema.Draft202012Validator(schema).validate(log)
        (place,) = log["runs"][0]["results"][0]["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_words_of_the_user_are_right(wrong: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("Teh  # a name\n\n# nothing else\n")
    assert fix(wrong, "--words", words, "--write") == 1
    assert wrong.read_text().startswith("This is teh file")


def test_only_comments_leaves_documents_alone(wrong: Path, tmp_path: Path) -> None:
    code = tmp_path / "b.py"
    code.write_text("x = 1  # this is teh value that the server gives\n")
    assert fix(tmp_path, "--only", "comments", "--write") == 1
    assert wrong.read_text() == TEXT
    assert "the value" in code.read_text()
    assert fix(tmp_path, "--only", "prose", "--write") == 1
    assert wrong.read_text() == MENDED


def test_folders_skip_what_is_no_text_but_a_named_file_must_be(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\xfe bad")
    (tmp_path / "b.bin").write_text("teh\n")
    assert fix(tmp_path) == 0
    assert fix(tmp_path / "a.md") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.md",), "nowhere.md does not exist"),
        (("{file}", "--words", "nowhere"), "nowhere cannot be read as a list of words"),
    ],
)
def test_mistakes_are_said_in_one_line(
    wrong: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fix(*(argument.format(file=wrong) for argument in arguments)) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_an_unknown_model_is_said(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", str(wrong), "--model", "nowhere"], load=no_engine) == 2
    assert "nowhere is no model folder" in capsys.readouterr().err


def test_a_model_and_no_model_exclude_each_other(
    wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fix(wrong, "--model", "nowhere") == 2
    err = capsys.readouterr().err
    assert "--no-model leaves out the model, --model nowhere names one" in err
    assert err.count("\n") == 1


def test_what_is_left_alone_in_folders_is_mended_when_named_unless_excluded(tmp_path: Path) -> None:
    path = tmp_path / "LICENSE"
    path.write_text(TEXT)
    assert fix(tmp_path) == 0
    assert fix(path, "--force-exclude") == 0
    assert fix(path) == 1


def test_code_around_a_comment_is_never_touched(tmp_path: Path) -> None:
    code = 'teh = "recieve the the"\n\n\ndef f() -> None:\n    """Give a error to the caller."""\n'
    path = tmp_path / "a.py"
    path.write_text(code)
    fix(path, "--write", "--tier", "suggest")
    assert path.read_text() == code.replace("a error", "an error")


def test_dictionaries_have_a_say_as_in_an_editor(
    wrong: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def found() -> list[str]:
        fix(wrong, "--json")
        return [row["old"].strip() for row in json.loads(capsys.readouterr().out)]

    text = wrong.read_text() + "\nYou should recieve the message, seperate from the others.\n"
    wrong.write_text(text)
    before = found()
    assert {"teh", "recieve", "seperate"} <= set(before)
    (home / "words.txt").write_text("teh\n")
    assert found() == [word for word in before if word != "teh"]
    (wrong.parent / ".git").mkdir()
    (wrong.parent / ".dgemma-words").write_text("recieve # ours\n")
    assert {"recieve", "teh"}.isdisjoint(found())
    wrong.write_text(text + "\n<!-- dgemma: words seperate -->\n")
    assert {"recieve", "teh", "seperate"}.isdisjoint(found())


def test_a_file_that_cannot_be_written_leaves_the_others_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("a.md", "b.md", "c.md")]
    for path in paths:
        path.write_text(TEXT)
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "b.md")
    assert fix(tmp_path, "--write") == 2
    assert [path.read_text() for path in paths] == [MENDED, TEXT, MENDED]
    out, err = capsys.readouterr()
    assert "b.md" not in out
    assert f"{paths[1]} is write-protected" in err
    assert "6 typos mended in 2 of 3 files" in err


def test_interrupted_while_it_looks_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("a.md", "b.md")]
    for path in paths:
        path.write_text(TEXT)
    asked: list[object] = []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return prepare(*arguments, **options)

    monkeypatch.setattr("dgemma_ls.commands.fix.prepare", interrupted)
    assert fix(tmp_path, "--write") == 130
    assert [path.read_text() for path in paths] == [TEXT, TEXT]
    assert capsys.readouterr().err == "dgemma-ls: interrupted; no file was changed\n"


def test_interrupted_while_it_writes_each_file_is_mended_or_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("a.md", "b.md", "c.md")]
    for path in paths:
        path.write_text(TEXT)
    synced: list[int] = []

    def interrupted(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 3:  # each file, then its folder
            raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    assert fix(tmp_path, "--write") == 130
    assert [path.read_text() for path in paths] == [MENDED, TEXT, TEXT]
    assert sorted(tmp_path.iterdir()) == paths
    assert "interrupted; 1 of 3 files with typos are mended" in capsys.readouterr().err
