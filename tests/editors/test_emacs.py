"""Emacs in batch mode: eglot, and lsp-mode with its ghost text."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import fetch
from .capabilities import need_capability, need_command
from .conftest import editor_environment, need
from .server_commands import REAL_SERVER, SCRIPTED_SERVER
from .snippets import put_on_path, snippet

HARNESS = Path(__file__).with_name("harness.el")
CRAB = "\U0001f980"
PATIENCE_S = 120
Run = Callable[..., dict[str, list[Any]]]


@pytest.fixture
def run_emacs(tmp_path: Path) -> Run:
    """Give a function that evaluates a form in Emacs, on a file, and gives what it told."""
    emacs = need("emacs")

    def run(
        form: str,
        content: bytes,
        *,
        configuration: str = "Emacs with eglot",
        server: list[str] = SCRIPTED_SERVER,
    ) -> dict[str, list[Any]]:
        file = tmp_path / "work" / "a.py"
        file.parent.mkdir()
        file.write_bytes(content)
        config = tmp_path / "config.el"
        config.write_text(snippet(configuration, "elisp"), "utf-8")
        packages = sorted(emacs.tree.root.glob("usr/share/emacs/site-lisp/elpa-src/*"))
        words = [*fetch.command(emacs), "-Q", "--batch"]
        words += [word for package in packages for word in ("-L", str(package))]
        words += ["-l", str(HARNESS), "-l", str(config), "--eval", form]
        done = subprocess.run(
            words,
            env={
                **os.environ,
                **editor_environment(emacs, tmp_path / "home"),
                "PATH": put_on_path(tmp_path / "bin", server),
                "FILE": str(file),
            },
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            cwd=file.parent,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, list[Any]] = {"file": [file.read_bytes()]}
        for line in done.stdout.splitlines():
            key, value = json.loads(line)
            told.setdefault(key, []).append(value)
        return told

    return run


EDITS = """
(progn
  (t-eglot (getenv "FILE"))
  (t-compare "open")
  (goto-char (point-max)) (insert "x = \\"%(crab)s\\"\\n")
  (t-compare "append an astral character")
  (goto-char (point-min)) (search-forward "%(crab)s") (insert "é%(crab)s")
  (t-compare "insert after one")
  (goto-char (point-min)) (search-forward "é") (delete-char 1) (t-compare "delete one")
  (goto-char (point-min)) (forward-line 1) (kill-whole-line) (t-compare "kill a line")
  (goto-char (point-min)) (insert "a" "\\n") (goto-char (point-max)) (insert "z")
  (t-compare "two places in one message")
  (goto-char (point-min)) (while (search-forward "a" nil t) (replace-match "%(crab)sb"))
  (t-compare "replace all")
  (upcase-region (point-min) (point-max)) (t-compare "change case")
  (erase-buffer) (t-compare "erase") (insert "x = 1\\n") (t-compare "write again")
  (save-buffer)
  (eglot-shutdown (eglot-current-server) nil 5))
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_eglot_and_the_server_have_the_same_text_after_every_edit(run_emacs: Run, end: str) -> None:
    lines = [f'crab = "{CRAB}"; total = 1', "second = 'a'", "third = 3", ""]
    told = run_emacs(EDITS % {"crab": CRAB}, end.join(lines).encode())
    assert len(told["same"]) == 10
    assert all(told["same"]), told
    assert told["file"] == [f"x = 1{end}".encode()]


LSP_MODE = """
(progn
  (require 'lsp-mode)
  (require 'lsp-inline-completion)
  (setq lsp-enable-file-watchers nil lsp-auto-guess-root t lsp-restart 'ignore
        lsp-session-file (expand-file-name "session" (getenv "HOME"))
        lsp-warn-no-matched-clients nil lsp-keep-workspace-alive nil
        lsp-enable-suggest-server-download nil lsp-response-timeout 30
        lsp-enabled-clients '(dgemma-ls) lsp-enable-snippet nil lsp-lens-enable nil
        lsp-headerline-breadcrumb-enable nil lsp-modeline-code-actions-enable nil
        lsp-modeline-diagnostics-enable nil lsp-modeline-workspace-status-enable nil
        lsp-diagnostics-provider :none lsp-completion-provider :none)
  (find-file (getenv "FILE"))
  (python-mode)
  (lsp-workspace-folders-add (file-name-directory (getenv "FILE")))
  (lsp)
  (t-wait "connected" (lambda () (and (lsp-workspaces)
     (seq-every-p (lambda (w) (eq 'initialized (lsp--workspace-status w))) (lsp-workspaces)))))
  (t-tell :mode (if (progn (run-hooks 'lsp-configure-hook) lsp-inline-completion-mode) t :false))
  (goto-char (point-max)) (forward-line -1) (end-of-line)
  (switch-to-buffer (current-buffer))
  %s
  (set-buffer-modified-p t)
  (save-buffer))
"""


def test_lsp_mode_shows_ghost_text_goes_through_it_and_takes_it(run_emacs: Run) -> None:
    steps = """
      (insert "x = ")
      (lsp-inline-completion-display)
      (t-wait "ghost text" (lambda () (overlayp lsp-inline-completion--overlay)))
      (t-tell :ghost (substring-no-properties
        (or (overlay-get lsp-inline-completion--overlay 'before-string)
            (overlay-get lsp-inline-completion--overlay 'after-string)
            (overlay-get lsp-inline-completion--overlay 'display))))
      (t-tell :items (length lsp-inline-completion--items))
      (lsp-inline-completion-next)
      (lsp-inline-completion-accept)
      (t-tell :text (buffer-string))
    """
    content = f'crab = "{CRAB}"\n\n'.encode()
    told = run_emacs(LSP_MODE % steps, content, configuration="Emacs with lsp-mode")
    assert told["mode"] == [True]
    assert told["items"] == [3]
    assert "value" in told["ghost"][0]
    assert told["file"] == [f'crab = "{CRAB}"\nx = other\n'.encode()]


LSP_MODE_EDITS = """
(cl-flet ((compare (what)
    (let ((theirs (lsp-request "scripted/text" (list :uri (lsp--buffer-uri)))))
      (t-tell :after what)
      (t-tell :same (if (equal theirs (buffer-substring-no-properties (point-min) (point-max)))
                        t :false)))))
  (compare "open")
  (goto-char (point-max)) (insert "x = \\"%(crab)s\\"\n") (compare "append")
  (goto-char (point-min)) (search-forward "%(crab)s") (insert "é%(crab)s") (compare "insert")
  (goto-char (point-min)) (search-forward "é") (delete-char 1) (compare "delete one")
  (goto-char (point-min)) (forward-line 1) (kill-whole-line) (compare "kill a line")
  (goto-char (point-min)) (while (search-forward "a" nil t) (replace-match "%(crab)sb"))
  (compare "replace all")
  (erase-buffer) (insert "x = 1\n") (compare "write again"))
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_lsp_mode_and_the_server_have_the_same_text_after_every_edit(
    run_emacs: Run, end: str
) -> None:
    lines = [f'crab = "{CRAB}"; total = 1', "second = 'a'", "third = 3", ""]
    form = LSP_MODE % (LSP_MODE_EDITS % {"crab": CRAB})
    told = run_emacs(form, end.join(lines).encode(), configuration="Emacs with lsp-mode")
    assert len(told["same"]) == 7
    assert all(told["same"]), told
    assert told["file"] == [f"x = 1{end}".encode()]


def test_lsp_mode_rewrites_a_region_and_undo_brings_its_bytes_back(run_emacs: Run) -> None:
    steps = """
      (transient-mark-mode 1)
      (buffer-enable-undo)
      (goto-char 5) (push-mark (point) t t) (end-of-line)
      (cl-letf (((symbol-function 'completing-read)
                 (lambda (_prompt actions &rest _) (car (all-completions "" actions)))))
        (lsp-execute-code-action-by-kind "refactor.rewrite"))
      (t-wait "rewritten" (lambda () (not (string-prefix-p "x = first" (buffer-string)))))
      (t-tell :text (buffer-string))
      (deactivate-mark)  ; else only what lies in the region is undone
      (undo-boundary) (undo)
    """
    before = b"x = first\n"
    told = run_emacs(LSP_MODE % steps, before, configuration="Emacs with lsp-mode")
    assert told["text"] == ["x = second\n"]
    assert told["file"] == [before]


def test_lsp_mode_fixes_a_document(run_emacs: Run) -> None:
    steps = """
      (t-wait "flagged" (lambda () (> (hash-table-count (lsp-diagnostics t)) 0)))
      (lsp-execute-code-action-by-kind "source.fixAll.dgemma")
      (t-wait "fixed" (lambda () (not (string-search "recieve" (buffer-string)))))
    """
    before = b"# You should recieve the message when it is there.\nx = 1\n"
    told = run_emacs(
        LSP_MODE % steps, before, configuration="Emacs with lsp-mode", server=REAL_SERVER
    )
    assert told["file"] == [before.replace(b"recieve", b"receive")]


def test_eglot_rewrites_a_region(run_emacs: Run) -> None:
    need_capability("codeActionProvider")
    form = """
    (progn
      (t-eglot (getenv "FILE"))
      (let ((last-nonmenu-event t))  ; a key, not the mouse: eglot asks in the minibuffer
        (cl-letf (((symbol-function 'completing-read)
                   (lambda (_prompt actions &rest _) (caar actions))))
          (eglot-code-actions 5 (line-end-position) "refactor.rewrite" t)))
      (t-wait "rewritten" (lambda () (not (string-prefix-p "x = first" (buffer-string)))))
      (t-tell :text (buffer-string))
      (undo-boundary) (undo) (save-buffer))
    """
    before = b"x = first\ny = 1\n"
    told = run_emacs(form, before)
    assert told["text"] == ["x = second\ny = 1\n"]
    assert told["file"] == [before]


def test_eglot_fixes_a_document(run_emacs: Run) -> None:
    need_command("dgemma.fixDocument")
    form = """
    (progn
      (t-eglot (getenv "FILE"))
      (t-wait "flagged" (lambda () eglot--diagnostics))
      (eglot-code-actions (point-min) (point-max) "source.fixAll.dgemma" t)
      (t-wait "fixed" (lambda () (not (string-search "recieve" (buffer-string)))))
      (save-buffer))
    """
    before = b"# You should recieve the message when it is there.\nx = 1\n"
    told = run_emacs(form, before, server=REAL_SERVER)
    assert told["file"] == [before.replace(b"recieve", b"receive")]


def test_eglot_completes_at_point(run_emacs: Run) -> None:
    need_capability("completionProvider")
    form = """
    (progn
      (t-eglot (getenv "FILE"))
      (goto-char (point-min)) (end-of-line)
      (t-tell :items (vconcat (let ((c (eglot-completion-at-point)))
        (all-completions "" (nth 2 c))))))
    """
    told = run_emacs(form, b"x = \n")
    assert "value" in told["items"][0]


def test_eglot_goes_on_with_a_begun_word(run_emacs: Run) -> None:
    need_capability("completionProvider")
    form = """
    (progn
      (t-eglot (getenv "FILE"))
      (goto-char (point-min)) (end-of-line)
      (completion-at-point)
      (save-buffer))
    """
    told = run_emacs(form, b"x = va\n")
    assert told["file"] == [b"x = value\n"]
