"""The document store against vscode-languageserver-textdocument, what VS Code's own servers use.

The package is fetched by ``npm ci`` into ``tests/oracles`` when it is not there; where there is no
node, or npm cannot fetch it, the test is skipped and says so.
"""

import json
import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from dgemma_ls.documents import Change, DocumentStore
from dgemma_ls.positions import LineIndex, Position, PositionEncoding
from tests.oracles.fetched import ORACLES, node_with

UTF16 = PositionEncoding.UTF16
URI = "file:///a"
N_SCRIPTS = 400
BITS = (
    "\n",
    "\r\n",
    "\r",
    "a",
    "bc",
    "é",
    "€",
    "𝒳",
    "e\u0301",
    "\ufeff",
    "\x0c",
    "\u2028",
    "\ud83d",
)


@pytest.fixture(scope="module")
def oracle() -> Iterator[subprocess.Popen[str]]:
    node = node_with("vscode-languageserver-textdocument")
    with subprocess.Popen(
        [node, ORACLES / "textdocument.mjs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def test_random_edit_scripts_end_in_the_same_text_with_the_same_positions(
    oracle: subprocess.Popen[str],
) -> None:
    rng = random.Random(0)
    for _ in range(N_SCRIPTS):
        store = DocumentStore()
        text = "".join(rng.choices(BITS, k=rng.randrange(30)))
        snapshot = store.open(URI, 1, "python", text)
        changes = []
        for version in range(2, 2 + rng.randrange(8)):
            changes.append(random_change(rng, store.line_index(URI)))
            snapshot = store.change(URI, version, changes[-1:], UTF16)
        theirs = asked(oracle, text, changes)

        # Two halves of a pair that two edits brought in are one character there, two here.
        assert units(theirs["text"]) == units(snapshot.text)
        lines = store.line_index(URI)
        for offset in range(len(snapshot.text) + 1):
            place = UTF16.units(snapshot.text[:offset])
            assert list(lines.position_at(offset, UTF16)) == theirs["positions"][place]


def random_change(rng: random.Random, lines: LineIndex) -> Change:
    new = "".join(rng.choices(BITS, k=rng.randrange(4)))
    if rng.random() < 0.1:
        return Change(new)
    start, end = (lines.position_at(rng.randint(0, len(lines.text)), UTF16) for _ in range(2))
    if rng.random() < 0.2:
        end = Position(end.line + rng.randrange(3), end.character + 50)  # past the end
    return Change(new, (start, end))


def asked(oracle: subprocess.Popen[str], text: str, changes: list[Change]) -> dict[str, Any]:
    assert oracle.stdin is not None
    assert oracle.stdout is not None
    events = [
        {"text": each.text} | ({"range": [*each.range[0], *each.range[1]]} if each.range else {})
        for each in changes
    ]
    print(json.dumps({"text": text, "changes": events}), file=oracle.stdin, flush=True)
    answer: dict[str, Any] = json.loads(oracle.stdout.readline())
    return answer


def units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")
