"""Run the commands in the pages and write down what they print.

    python docs/scripts/run_commands.py

A block marked ``console`` holds commands after ``$``, each with what it prints. This runs them in
the root of the repository and puts the output in. With ``--check`` it changes nothing and exits
with 1 if a page says something else; times are not compared.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted((ROOT / "docs").rglob("*.md")))

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
_TIME = re.compile(r"\d+ ms")

Run = Callable[[str], str]


def main() -> int:
    """Refresh the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    args = parser.parse_args()
    stale = []
    for page in PAGES:
        text = page.read_text("utf-8")
        if same(text, new := refreshed(text, run)):
            continue
        stale.append(page)
        if not args.check:
            page.write_text(new, "utf-8")
    for page in stale:
        sys.stdout.write(f"{'stale' if args.check else 'written'}: {page.relative_to(ROOT)}\n")
    return 1 if args.check and stale else 0


def refreshed(page: str, run: Run) -> str:
    """Give a page with what its commands print now.

    Args:
        page: Markdown.
        run: gives the output of a command line.
    """

    def block(match: re.Match[str]) -> str:
        commands = _COMMAND.findall(match[1])
        return "```console\n" + "".join(f"$ {it}\n{run(it)}" for it in commands) + "```"

    return _BLOCK.sub(block, page)


def same(page: str, other: str) -> bool:
    """Say whether two pages agree, times aside."""
    return _TIME.sub("… ms", page) == _TIME.sub("… ms", other)


def run(command: str) -> str:
    """Run a ``dgemma-ls`` command as a user in the repository would, and give what it prints."""
    program, *arguments = shlex.split(command)
    if program != "dgemma-ls":
        raise SystemExit(f"only dgemma-ls is run, not {command!r}")
    done = subprocess.run(  # noqa: S603 - our own program, on arguments from our own pages
        [sys.executable, "-m", "dgemma_ls", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},  # both streams in the order of a terminal
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
