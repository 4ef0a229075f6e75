"""The real server around an engine that knows what a test means to write.

Of a line that ends with one of ``SCRIPT``'s beginnings, and perhaps with the first characters of
a text after it, it answers the rest: as a model would that is always right.
"""

import os
import sys
from pathlib import Path
from typing import Any

from dgemma_engine.types import Candidate, InfillResult, StopReason
from dgemma_ls.server import DgemmaServer, create_server, serve_stdio

SCRIPT = {
    "x = ": ("value", "other", "third"),
    "call = ": ("first.second(third)",),
    "block = ": ("[\n    1,\n    2,\n]",),
}


class ScriptedEngine:
    """Answers from ``SCRIPT``, at once; nothing for anything else."""

    max_span_tokens = 64
    context_tokens = 448

    @property
    def tokenizer(self) -> "ScriptedEngine":
        return self

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def infill(self, prefix: str, suffix: str, **options: Any) -> InfillResult:
        line = prefix.replace("\r", "\n").rsplit("\n", 1)[-1]
        texts: list[str] = []
        for beginning, targets in SCRIPT.items():
            _, found, typed = line.rpartition(beginning)
            if found:
                fits = (it for it in targets if it.startswith(typed) and it != typed)
                texts += [text[len(typed) :] for text in fits]
        return InfillResult(
            candidates=tuple(
                Candidate(text=text, score=-float(n), forwards=1, n_tokens=1)
                for n, text in enumerate(texts)
            ),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
        )

    def rewrite(self, prefix: str, text: str, suffix: str, **options: Any) -> InfillResult:
        """Turn every word ``first`` into ``second``."""
        return InfillResult(
            candidates=(
                Candidate(text=text.replace("first", "second"), score=0.0, forwards=1, n_tokens=1),
            ),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
        )


def create_scripted() -> DgemmaServer:
    """Make the server."""
    server = create_server(lambda settings: ScriptedEngine())  # type: ignore[arg-type,return-value]
    _take_next_edits_from(server)

    @server.feature("scripted/text")
    def read_text(params: Any) -> str | None:
        """Give the server's text of a document, to be compared with the editor's."""
        snapshot = server.open_session._documents.get(params.uri)
        return None if snapshot is None else snapshot.text

    @server.feature("textDocument/didSave")
    def did_save(params: Any) -> None:
        """Write the server's text where a test can compare it with the file."""
        if saved := os.environ.get("SCRIPTED_SAVED"):
            Path(saved).with_suffix(".pid").write_text(str(os.getpid()), "utf-8")
            snapshot = server.open_session._documents.get(params.text_document.uri)
            part = Path(saved).with_suffix(".part")
            part.write_bytes(b"" if snapshot is None else snapshot.text.encode())
            part.rename(saved)

    return server


def _take_next_edits_from(server: DgemmaServer) -> None:
    """Leave next edits to the tests that are about them, which write their own."""
    server.experimental.pop("copilotInlineEditProvider")
    names = ("textDocument/copilotInlineEdit", "textDocument/didShowInlineEdit")
    commands = ("dgemma.acceptInlineEdit", "dgemma.rejectInlineEdit")
    for name in names:
        server.protocol.fm.features.pop(name)
    for name in commands:
        server.protocol.fm.commands.pop(name)


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("dgemma-ls (scripted)")
    else:
        sys.exit(serve_stdio(create=create_scripted))
