"""The pages tell the truth: their commands parse, their links lead somewhere, settings exist."""

import argparse
import contextlib
import importlib.util
import io
import itertools
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dgemma_ls.cli import build_parser
from dgemma_ls.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "engine" / "dgemma_engine" / "embedded" / "MODEL_CARD.md"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "editors").glob("*.md"), CARD]
)
# Where a word_with_underscores in code is an option of the server or of the Neovim plugin.
USERS_PAGES = {
    f"{name}.md"
    for name in (
        "install",
        "first-suggestion",
        "features",
        "privacy",
        "troubleshooting",
        "settings",
    )
}
SETTINGS = {field.name for field in fields(Settings)}
# What a page writes for something that the reader puts in, and something of that kind.
PLACEHOLDERS = {
    "LINE:COLUMN": "1:1",
    "HOST:PORT": "localhost:1",
    "OWNER/NAME": "some/model",
    "SECONDS": "1",
    "NAME": "neovim",
    "N": "1",
    "S": "1",
}
OPTION = re.compile(r"\[(?P<inner>[^]]*)\]")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


class Link(NamedTuple):
    target: str
    text: str  # with the marks of code


@pages
def test_every_command_line_parses(page: Path) -> None:
    faults = [
        f"{line}: {fault}" for line in commands(page) if (fault := fault_of(line)) is not None
    ]
    assert not faults, "\n".join(faults)


def test_a_mistyped_option_and_an_unknown_command_are_found() -> None:
    assert fault_of("dgemma-ls fill FILE --at LINE:COLUMN --writ") is not None
    assert fault_of("dgemma-ls fil FILE") is not None
    assert fault_of("dgemma-ls eval infil") is not None
    assert fault_of("dgemma-ls fix PATH… [--write|--dif]") is not None


@pages
def test_every_link_of_the_repository_leads_to_a_page_and_a_heading(page: Path) -> None:
    faults = [
        link.target
        for link in links(page)
        if not re.match(r"[a-z]+:", link.target) and not leads_somewhere(page, link.target)
    ]
    assert not faults


def test_a_missing_file_and_a_missing_heading_are_found() -> None:
    page = ROOT / "docs" / "index.md"
    assert leads_somewhere(page, "install.md#once-for-the-machine")
    assert not leads_somewhere(page, "instal.md")
    assert not leads_somewhere(page, "install.md#twice-for-the-machine")


@pages
def test_every_setting_that_is_named_exists(page: Path) -> None:
    named = {
        link.text.strip("`")
        for link in links(page)
        if link.target.endswith("settings.md") and link.text.startswith("`")
    }
    if page.name in USERS_PAGES:
        words = (code for code in inline_code(page) if re.fullmatch(r"[a-z]+(_[a-z]+)+", code))
        named |= set(words) - plugin_options()
    assert named - {"docs/settings.md"} <= SETTINGS


def test_the_map_names_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    mapped = {(index.parent / link.target).resolve() for link in links(index)}
    assert {page for page in PAGES if page.parent == index.parent} - {index} <= mapped


def test_what_is_shown_as_output_has_been_written_by_the_script() -> None:
    run_commands = script("run_commands")
    shown = [block for page in PAGES for block in fences(page, "console")]
    assert shown
    assert all(block.startswith("$ dgemma-ls ") for block in shown)
    assert set(run_commands.PAGES) >= {page for page in PAGES if fences(page, "console")}


def test_the_script_puts_new_output_in_place_of_the_old_and_keeps_the_rest() -> None:
    refreshed: Callable[..., str] = script("run_commands").refreshed
    before = "a\n```console\n$ dgemma-ls x\nold\n$ dgemma-ls y\n```\n```\n$ dgemma-ls z\n```\n"
    after = refreshed(before, lambda command: f"new {command}\n")
    assert after == (
        "a\n```console\n$ dgemma-ls x\nnew dgemma-ls x\n$ dgemma-ls y\nnew dgemma-ls y\n```\n"
        "```\n$ dgemma-ls z\n```\n"
    )


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert all(picture.stat().st_size <= 100_000 for picture in pictures)


# What stands in the pages


def tokens(page: Path) -> Iterator[Token]:
    """Give the tokens of a page, those inside of lines as well."""
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8")):
        yield token
        yield from token.children or []


def fences(page: Path, info: str) -> list[str]:
    return [it.content for it in tokens(page) if it.type == "fence" and it.info == info]


def inline_code(page: Path) -> list[str]:
    return [it.content for it in tokens(page) if it.type == "code_inline"]


def links(page: Path) -> list[Link]:
    found: list[Link] = []
    for block in tokens(page):
        inside = block.children or []
        for number, token in enumerate(inside):
            if token.type == "image":
                found.append(Link(str(token.attrs["src"]), token.content))
            elif token.type == "link_open":
                ends = (it.type == "link_close" for it in inside[number:])
                end = number + next(place for place, is_end in enumerate(ends) if is_end)
                words = inside[number + 1 : end]
                text = "".join(f"`{it.content}`" if it.markup else it.content for it in words)
                found.append(Link(str(token.attrs["href"]), text))
    return found


def commands(page: Path) -> list[str]:
    """Give the command lines of a page: in blocks of code, and in code inside of sentences."""
    blocks = (it.content for it in tokens(page) if it.type in ("fence", "code_block"))
    lines = (line for block in blocks for line in block.splitlines())
    # A command that is only named need not have its arguments, but it must exist.
    named = (
        re.sub(r"^(dgemma-ls( [a-z][\w-]*){1,2})$", r"\1 --help", code)
        for code in inline_code(page)
    )
    candidates = [*(line.strip().removeprefix("$ ") for line in lines), *named]
    return [
        re.sub(r"( {2,}| )#.*", "", line)  # what a comment behind it says
        for line in candidates
        if re.match(r"(unshare -rn |strace -f -e trace=network )?dgemma-ls [^:]", line)
    ]


def leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = unquote(target).partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or anchor in anchors(file))


def anchors(page: Path) -> set[str]:
    """Give the names of a page's headings as GitHub makes them."""
    flat = list(tokens(page))
    heads = [flat[at + 1] for at, it in enumerate(flat) if it.type == "heading_open"]
    names: list[str] = []
    for head in heads:
        text = "".join(it.content for it in head.children or []).lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        again = sum(1 for it in names if re.fullmatch(re.escape(name) + r"(-\d+)?", it))
        names.append(f"{name}-{again}" if again else name)
    return set(names)


def plugin_options() -> set[str]:
    config = (ROOT / "editors" / "nvim" / "lua" / "dgemma" / "config.lua").read_text("utf-8")
    return set(re.findall(r"^\s+(\w+) = ", config, re.MULTILINE))


def script(name: str) -> ModuleType:
    path = ROOT / "docs" / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Command lines, as a page may write them


def fault_of(line: str) -> str | None:
    """Say why one of the commands that a line stands for does not parse, or None."""
    for words in readings(line):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            try:
                parse(words)
            except SystemExit as end:
                if end.code:
                    return said.getvalue().strip().splitlines()[-1]
    return None


def readings(line: str) -> Iterator[list[str]]:
    """Take a line's ``a | b``, ``[--c]`` and ``[--d|--e]`` apart, and fill in placeholders."""
    line = re.sub(r" [<>] .*| > .*", "", line.partition(" dgemma-ls ")[2] or line[10:])
    head, *alternatives = line.split(" | ")
    for one in [head, *(f"{head.split()[0]} {it}" for it in alternatives)]:
        parts = OPTION.split(one)  # what is in brackets stands at odd places
        choices = [
            [part] if at % 2 == 0 else ["", *part.split("|")] for at, part in enumerate(parts)
        ]
        for chosen in itertools.product(*choices):
            words = shlex.split(" ".join(chosen).replace("…", ""), comments=True)
            yield [PLACEHOLDERS.get(word, word) for word in words]


def parse(words: Sequence[str]) -> None:
    """Parse the arguments of dgemma-ls; SystemExit where they are wrong."""
    match words:
        case ["eval", *rest]:
            _parse_eval(rest)
        case ["bench", *rest]:
            from dgemma_ls.commands.bench import _parser

            _parser().parse_args(rest)
        case _:
            build_parser().parse_args(words)


def _parse_eval(words: Sequence[str]) -> None:
    from dgemma_ls.commands import evaluate

    parser = argparse.ArgumentParser(allow_abbrev=False)
    tasks = parser.add_subparsers(required=True)
    for task in evaluate._TASKS:
        task.add_parser(tasks)
    parser.parse_args(words)
