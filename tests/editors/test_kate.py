"""Kate with the configuration of the README. It has a popup, no ghost text."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import fetch
from .conftest import editor_environment, need
from .server_commands import SCRIPTED_SERVER
from .snippets import put_on_path, snippet
from .vnc import BACKSPACE, CONTROL, END, ESCAPE, RETURN, Keyboard, free_port
from .waiting import wait_until

CRAB = "\U0001f980"
POPUP_S = 0.7  # in which the popup comes; tried again where it does not
SAVED_S = 0.3  # in which a file is written, likewise
# The second group says Yes to what Kate asks once for each server: whether to start it.
KATERC = """
[General]
Show welcome view for new window=false
[lspclient]
AllowedServerCommandLines={program} --stdio
"""


class Kate:
    """Kate on a file, with keys for it and the text that its server was told."""

    def __init__(self, keys: Keyboard, file: Path, saved: Path) -> None:
        self.keys, self.file, self._saved = keys, file, saved

    def save(self) -> bytes:
        """Save, and give the bytes, which the server has as well.

        Kate tells of changes when it asks for something, not when it says that it has saved.
        """
        self._saved.unlink(missing_ok=True)

        def is_told() -> bool:  # a server that still starts is told nothing
            self.keys.type(" ")
            self.keys.press(BACKSPACE)  # a change, else nothing is written
            self.keys.press(CONTROL, ord(" "))
            self.keys.press(ESCAPE)
            self.keys.press(CONTROL, ord("s"))
            time.sleep(SAVED_S)
            return self._saved.exists() and self._saved.read_bytes() == self.file.read_bytes()

        wait_until(is_told, "the server has the text of the file")
        return self.file.read_bytes()

    def wait_for(self, text: str) -> None:
        """Wait until file and server have a text."""
        wait_until(lambda: self.save() == text.encode(), f"the text is {text!r}")


@pytest.fixture
def kate(tmp_path: Path) -> Iterator[Kate]:
    editor = need("kate")
    file, saved = tmp_path / "work" / "a.py", tmp_path / "saved"
    file.parent.mkdir()
    file.write_bytes(f'crab = "{CRAB}"; one = 1\n'.encode())
    environment = editor_environment(editor, tmp_path / "home")
    environment["PATH"] = put_on_path(tmp_path / "bin", SCRIPTED_SERVER)
    environment["SCRIPTED_SAVED"] = str(saved)
    environment["XDG_RUNTIME_DIR"] = str(tmp_path / "run")
    (tmp_path / "run").mkdir(mode=0o700)
    port = free_port()
    environment["QT_QPA_PLATFORM"] = f"vnc:port={port}:size=1000x700"
    config = Path(environment["XDG_CONFIG_HOME"])
    (config / "kate" / "lspclient").mkdir(parents=True)
    (config / "kate" / "lspclient" / "settings.json").write_text(snippet("Kate", "json"), "utf-8")
    katerc = KATERC.format(program=tmp_path / "bin" / "dgemma-ls")
    (config / "katerc").write_text(katerc, "utf-8")
    log = (tmp_path / "kate.log").open("wb")
    process = subprocess.Popen(
        [*fetch.command(editor), "--startanon", "--new", "--block", str(file)],
        env=environment,
        stdout=log,
        stderr=log,
        cwd=file.parent,
        start_new_session=True,
    )
    try:
        keys = Keyboard(port)
        yield Kate(keys, file, saved)
        keys.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def test_the_server_has_the_text_of_the_window(kate: Kate) -> None:
    kate.save()  # then the server is there, and learns of what follows by changes
    kate.keys.press(END)
    kate.keys.type("  # x\ny = 2")
    kate.wait_for(f'crab = "{CRAB}"; one = 1  # x\ny = 2\n')
    kate.keys.press(CONTROL, ord("a"))
    kate.keys.type("z")
    kate.wait_for("z\n")


def test_the_popup_goes_on_with_a_begun_word_and_enter_takes_it(kate: Kate) -> None:
    kate.save()

    def is_taken() -> bool:
        kate.keys.press(ESCAPE)
        kate.keys.press(CONTROL, ord("a"))
        kate.keys.type("call = fir")
        kate.keys.press(CONTROL, ord(" "))
        time.sleep(POPUP_S)
        kate.keys.press(RETURN)
        return kate.save() == b"call = first.second(third)\n"

    wait_until(is_taken, "the suggestion was taken")
