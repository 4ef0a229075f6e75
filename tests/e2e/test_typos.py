"""Typos as an editor sees them: diagnostics, quick fixes, fixing all, dictionaries."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from .conftest import FAKE_SERVER, REAL_SERVER, Wire
from .test_rewrite import ABLE, answer_edit, journal, start_command

pytestmark = pytest.mark.e2e

CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
CRAB = "\U0001f980"
SOURCE = (
    f"# Crab {CRAB} notes\r\n\r\n"
    f"The crab {CRAB} will recieve the the message when it is ready for it.\r\n\r\n"
    "It is a good idea to seperate these parts, and you should seperate the others too.\r\n"
)
MENDED = SOURCE.replace("recieve", "receive").replace("the the", "the").replace("seper", "separ")
PULL: dict[str, Any] = {"textDocument": {**ABLE["textDocument"], "diagnostic": {}}}
PULLING = {**ABLE, **PULL}
PUSHED = {
    **ABLE,
    "textDocument": {**ABLE["textDocument"], "publishDiagnostics": {"versionSupport": True}},
}
LONG = "\n\n".join(
    f"It is paragraph {n} of the text, and you should recieve it when it is there."
    for n in range(400)
)
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}


def apply(text: str, edits: Sequence[dict[str, Any]], encoding: str = "utf-16") -> str:
    """Apply text edits by bytes, as a client that knows nothing of this server."""
    codec, unit = CODECS[encoding]
    starts = [0, *(end.end() for end in re.finditer(r"\r\n|\r|\n", text))]

    def offset(position: dict[str, int]) -> int:
        line = text[starts[position["line"]] :]
        return starts[position["line"]] + len(
            line.encode(codec)[: position["character"] * unit].decode(codec)
        )

    for edit in sorted(edits, key=lambda edit: -offset(edit["range"]["start"])):
        start, end = (offset(edit["range"][side]) for side in ("start", "end"))
        text = text[:start] + edit["newText"] + text[end:]
    return text


def marked(text: str, diagnostic: dict[str, Any], encoding: str) -> str:
    """Give the text that a diagnostic marks."""
    mark = {"range": diagnostic["range"], "newText": "║"}
    before, after = apply(text, [mark], encoding).split("║")
    return text[len(before) : len(text) - len(after)]


def opened(
    wire: Wire,
    text: str,
    *,
    uri: str = "file:///notes.md",
    language_id: str = "markdown",
    capabilities: dict[str, Any] = PULLING,
    **more: Any,
) -> str:
    wire.initialize(capabilities=capabilities, **more)
    wire.open(uri, text, language_id)
    return uri


def start_pull(wire: Wire, uri: str, **more: Any) -> int:
    return wire.start("textDocument/diagnostic", {"textDocument": {"uri": uri}, **more})


def pull(wire: Wire, uri: str) -> list[dict[str, Any]]:
    return wire.answer(start_pull(wire, uri))["result"]["items"]


def actions(wire: Wire, uri: str, span: dict[str, Any], **context: Any) -> list[dict[str, Any]]:
    params = {
        "textDocument": {"uri": uri},
        "range": span,
        "context": {"diagnostics": [], **context},
    }
    return wire.request("textDocument/codeAction", params)["result"]


def titled(found: list[dict[str, Any]], beginning: str) -> dict[str, Any]:
    (one,) = [action for action in found if action["title"].startswith(beginning)]
    return one


def edits_of(edit: dict[str, Any]) -> list[dict[str, Any]]:
    (change,) = edit["documentChanges"]
    return change["edits"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_diagnostics_mark_the_words_and_quick_fixes_mend_them(wire: Wire, encoding: str) -> None:
    uri = opened(wire, SOURCE, encoding=encoding)
    found = pull(wire, uri)

    assert [marked(SOURCE, each, encoding) for each in found] == [
        *("recieve", " the", "seperate", "seperate")
    ]
    assert {each["source"] for each in found} == {"dgemma"}
    assert [each["code"] for each in found] == ["nonword", "doubled", "nonword", "nonword"]
    offered = actions(wire, uri, found[0]["range"], only=["quickfix"])
    action = titled(offered, "Change “recieve” to “receive”")
    assert action["isPreferred"]
    assert "edit" not in action
    edit = wire.request("codeAction/resolve", action)["result"]["edit"]
    assert edit["documentChanges"][0]["textDocument"] == {"uri": uri, "version": 1}
    assert apply(SOURCE, edits_of(edit), encoding) == SOURCE.replace("recieve", "receive")
    wire.leave()


def test_all_occurrences_of_a_word_are_mended_at_once(wire: Wire) -> None:
    uri = opened(wire, SOURCE)
    found = pull(wire, uri)
    action = titled(actions(wire, uri, found[2]["range"]), "Fix all 2 occurrences")
    edit = wire.request("codeAction/resolve", action)["result"]["edit"]
    assert apply(SOURCE, edits_of(edit)) == SOURCE.replace("seperate", "separate")
    wire.leave()


def test_a_client_that_takes_edits_no_other_way_gets_them_with_the_actions(wire: Wire) -> None:
    able = {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}}
    capabilities = {"textDocument": {**able, "diagnostic": {}}, "workspace": {"applyEdit": False}}
    uri = opened(wire, SOURCE, capabilities=capabilities)
    found = pull(wire, uri)
    offered = actions(wire, uri, found[2]["range"])
    one, both = titled(offered, "Change “seperate”"), titled(offered, "Fix all 2 occurrences")
    assert "command" not in one
    assert apply(SOURCE, one["edit"]["changes"][uri]) == SOURCE.replace("seper", "separ", 1)
    assert apply(SOURCE, both["edit"]["changes"][uri]) == SOURCE.replace("seper", "separ")
    assert titled(offered, "Ignore here")["command"]["command"] == "dgemma.ignoreTypo"
    (every,) = actions(wire, uri, WHOLE, only=["source.fixAll"])
    assert apply(SOURCE, every["edit"]["changes"][uri]) == MENDED
    wire.leave()


def test_what_was_not_found_is_never_written(wire: Wire) -> None:
    uri = opened(wire, SOURCE)
    found = pull(wire, uri)
    action = titled(actions(wire, uri, found[0]["range"]), "Change “recieve” to “receive”")
    for forged in ({"new": "rm -rf"}, {"start": 0, "end": 3}):
        answer = wire.request("codeAction/resolve", {**action, "data": action["data"] | forged})
        assert answer["error"]["code"] == -32801
    wire.leave()


def test_an_unchanged_document_gets_an_unchanged_report(wire: Wire) -> None:
    uri = opened(wire, SOURCE)
    first = wire.answer(start_pull(wire, uri))["result"]
    again = wire.answer(start_pull(wire, uri, previousResultId=first["resultId"]))["result"]
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}
    wire.leave()


def test_what_is_being_typed_is_not_flagged_before_it_is_left(wire: Wire) -> None:
    uri = opened(wire, "You should be ready to .\n")
    assert pull(wire, uri) == []
    wire.type(uri, 0, 23, "recieve", version=2)
    assert pull(wire, uri) == []
    wire.type(uri, 0, 30, " it", version=3)
    assert [each["code"] for each in pull(wire, uri)] == ["nonword"]
    wire.leave()


def test_a_client_that_does_not_ask_is_sent_diagnostics(wire: Wire) -> None:
    uri = opened(wire, "You should recieve it now.\n", capabilities=PUSHED)
    sent = wire.message("textDocument/publishDiagnostics")["params"]
    assert (sent["uri"], sent["version"], len(sent["diagnostics"])) == (uri, 1, 1)
    wire.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    sent = wire.message("textDocument/publishDiagnostics", number=2)["params"]
    assert (sent["uri"], sent["diagnostics"]) == (uri, [])
    wire.leave()


def test_a_client_is_told_to_ask_again_when_there_is_something_else_to_say(wire: Wire) -> None:
    refresh = {"workspace": {**ABLE["workspace"], "diagnostics": {"refreshSupport": True}}}
    uri = opened(wire, SOURCE, capabilities={**PULLING, **refresh})
    while len(found := pull(wire, uri)) < 4:  # what there is after a second
        pass
    n_told = sum(each["method"] == "workspace/diagnostic/refresh" for each in wire.notifications)
    settings = {"settings": {"dgemma": {"typos": "off"}}}
    wire.notify("workspace/didChangeConfiguration", settings)
    wire.message("workspace/diagnostic/refresh", number=n_told + 1)
    assert pull(wire, uri) == []
    settings = {"settings": {"dgemma": {"typos": "on"}}}
    wire.notify("workspace/didChangeConfiguration", settings)
    wire.message("workspace/diagnostic/refresh", number=n_told + 2)
    assert pull(wire, uri) == found
    wire.leave()


def test_names_in_programs_are_left_alone(wire: Wire) -> None:
    source = "def recieve(x):\n    # We recieve what you should seperate here.\n    return x\n"
    uri = opened(wire, source, uri="file:///a.py", language_id="python")
    assert [marked(source, each, "utf-16") for each in pull(wire, uri)] == ["seperate"]
    wire.leave()


def test_saving_mends_what_is_safe_and_known(wire: Wire) -> None:
    uri = opened(wire, SOURCE)
    pull(wire, uri)
    (action,) = actions(wire, uri, WHOLE, only=["source.fixAll"], triggerKind=2)
    assert action["kind"] == "source.fixAll.dgemma"
    assert apply(SOURCE, edits_of(action["edit"])) == MENDED
    wire.leave()


@pytest.mark.parametrize("how", ["on save", "when chosen", "by command"])
def test_what_is_not_sure_is_never_mended_unasked(wire: Wire, how: str) -> None:
    text = "You should recieve it, and they will seperte it too.\n"
    uri = opened(wire, text)
    found = pull(wire, uri)
    assert [each["data"]["tier"] for each in found] == ["safe", "suggest"]
    preferred = [
        titled(actions(wire, uri, each["range"]), "Change").get("isPreferred") for each in found
    ]
    assert preferred == [True, False]
    if how == "by command":
        request = start_command(wire, "dgemma.fixDocument", {"uri": uri})
        edit = answer_edit(wire)["edit"]
        wire.answer(request)
    else:
        kind = 1 if how == "when chosen" else 2
        (action,) = actions(wire, uri, WHOLE, only=["source.fixAll"], triggerKind=kind)
        if how == "when chosen":
            action = wire.request("codeAction/resolve", action)["result"]
        edit = action["edit"]
    assert apply(text, edits_of(edit)) == text.replace("recieve", "receive")
    wire.leave()


def test_typos_can_be_switched_off_and_a_document_still_be_mended(wire: Wire) -> None:
    uri = opened(wire, SOURCE, options={"typos": "off"})
    assert pull(wire, uri) == []
    request = start_command(wire, "dgemma.fixDocument", {"uri": uri})
    params = answer_edit(wire)
    assert apply(SOURCE, edits_of(params["edit"])) == MENDED
    (annotation,) = params["edit"]["changeAnnotations"].values()
    assert annotation["description"] == "4 typos mended"
    assert wire.answer(request)["result"] is None
    assert pull(wire, uri) == []
    wire.leave()


def test_mending_a_document_shows_how_far_it_is_and_can_be_cancelled(wire: Wire) -> None:
    uri = opened(wire, LONG, options={"typos": "off"})
    request = start_command(wire, "dgemma.fixDocument", {"uri": uri}, workDoneToken="t")
    number, kinds = 0, []
    while "report" not in kinds:
        number += 1
        kinds.append(wire.message("$/progress", number=number)["params"]["value"]["kind"])
    assert kinds == ["begin", "report"]
    wire.notify("window/workDoneProgress/cancel", {"token": "t"})
    assert wire.answer(request)["error"]["code"] == -32800
    assert "workspace/applyEdit" not in [note["method"] for note in wire.notifications]
    last = [note for note in wire.notifications if note["method"] == "$/progress"][-1]
    assert last["params"]["value"]["kind"] == "end"
    wire.leave()


def test_a_document_that_changes_meanwhile_is_not_mended(wire: Wire) -> None:
    uri = opened(wire, LONG)
    request = start_command(wire, "dgemma.fixDocument", {"uri": uri})
    wire.type(uri, 0, 0, "X", version=2)
    assert wire.answer(request)["error"]["code"] == -32801
    assert "workspace/applyEdit" not in [note["method"] for note in wire.notifications]
    wire.leave()


def test_suggestions_come_before_a_long_document_is_through(wire: Wire) -> None:
    wire.initialize(capabilities=PULLING)
    wire.open("file:///long.md", LONG, "markdown")
    wire.open("file:///a.py", "x = \n")
    long = start_pull(wire, "file:///long.md")
    journal(wire, "compare 1")  # it is being looked through
    for kind in (1, 2, 1):
        number = wire.start_inline("file:///a.py", 0, 4, kind=kind)
        assert wire.answer(number)["result"]["items"]
    assert long not in wire._answers
    assert len(wire.answer(long)["result"]["items"]) == 201
    steps = journal(wire, "compare 1")
    last = len(steps) - 1 - steps[::-1].index("start x = ")
    assert "compare 1" in steps[last:], "the suggestions came after all of it"
    wire.leave()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def opened_in(wire: Wire, folder: Path, text: str, options: Any = None) -> str:
    wire.request(
        "initialize",
        {
            "processId": None,
            "rootUri": None,
            "capabilities": PULLING,
            "workspaceFolders": [{"uri": folder.as_uri(), "name": "w"}],
            "initializationOptions": options or {},
        },
    )
    wire.notify("initialized", {})
    uri = (folder / "a.md").as_uri()
    wire.open(uri, text, "markdown")
    return uri


def test_words_are_added_to_dictionaries(
    start_server: Callable[..., Wire], workspace: Path
) -> None:
    wire = start_server(FAKE_SERVER)
    text = "You should recieve it and seperate it, definately in this text.\n"
    uri = opened_in(wire, workspace, text)
    for n_left, scope in ((3, "user"), (2, "workspace"), (1, "file")):
        found = pull(wire, uri)
        assert len(found) == n_left
        offered = actions(wire, uri, found[0]["range"])
        command = next(
            action["command"]
            for action in offered
            if action["title"].startswith("Add")
            and action["command"]["arguments"][0]["scope"] == scope
        )
        request = wire.start(
            "workspace/executeCommand",
            {"command": command["command"], "arguments": command["arguments"]},
        )
        if scope == "file":
            edits = edits_of(answer_edit(wire)["edit"])
            text = apply(text, edits)
            wire.type(uri, 1, 0, edits[0]["newText"], version=2)
        assert "error" not in wire.answer(request)
    assert pull(wire, uri) == []
    user = workspace.parent / "config" / "dgemma-ls" / "words.txt"
    assert user.read_text("utf-8") == "recieve\n"
    assert (workspace / ".dgemma-words").read_text("utf-8") == "seperate\n"
    assert text.endswith("\n\n<!-- dgemma: words definately -->\n")
    wire.leave()


def test_nothing_is_written_into_a_workspace_that_is_not_trusted(
    start_server: Callable[..., Wire], workspace: Path
) -> None:
    wire = start_server(FAKE_SERVER)
    uri = opened_in(wire, workspace, "You should recieve it.\n", {"trusted": False})
    found = pull(wire, uri)
    titles = [action["title"] for action in actions(wire, uri, found[0]["range"])]
    assert [title for title in titles if "workspace" in title or "file" in title] == []
    argument = {"uri": uri, "word": "recieve", "scope": "workspace"}
    answer = wire.answer(start_command(wire, "dgemma.addWord", argument))
    assert "not trusted" in answer["error"]["message"]
    assert list(workspace.iterdir()) == []
    wire.leave()


def test_an_ignored_place_stays_ignored_when_text_moves(wire: Wire) -> None:
    uri = opened(wire, "You should recieve it, and I should recieve it too.\n")
    found = pull(wire, uri)
    assert len(found) == 2
    command = titled(actions(wire, uri, found[0]["range"]), "Ignore here")["command"]
    wire.answer(start_command(wire, command["command"], command["arguments"][0]))
    assert pull(wire, uri) == found[1:]
    wire.type(uri, 0, 0, "A line.\n", version=2)
    (left,) = pull(wire, uri)
    assert left["range"]["start"] == {"line": 1, "character": 36}
    wire.leave()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_embedded_model_mends_a_document(
    start_server: Callable[..., Wire], encoding: str
) -> None:
    wire = start_server(REAL_SERVER)
    uri = opened(wire, SOURCE, encoding=encoding)
    found = [each for each in pull(wire, uri) if each["severity"] == 3]
    assert [marked(SOURCE, each, encoding) for each in found] == [
        *("recieve", " the", "seperate", "seperate")
    ]
    action = titled(actions(wire, uri, found[0]["range"]), "Change “recieve” to “receive”")
    edit = wire.request("codeAction/resolve", action)["result"]["edit"]
    assert apply(SOURCE, edits_of(edit), encoding) == SOURCE.replace("recieve", "receive")
    request = start_command(wire, "dgemma.fixDocument", {"uri": uri, "tier": "safe"})
    params = answer_edit(wire)
    assert apply(SOURCE, edits_of(params["edit"]), encoding) == MENDED
    assert wire.answer(request)["result"] is None
    wire.leave()
