"""Where a body of several lines is wanted, and what stands around a place. ║ is the cursor."""

import pytest

from dgemma_ls.syntax import node_kind_at, wants_multiline
from dgemma_ls.types import Snapshot


def at_cursor(language_id: str, marked: str) -> tuple[Snapshot, int]:
    before, _, behind = marked.partition("║")
    return (
        Snapshot(uri="a", version=1, language_id=language_id, text=before + behind),
        len(before),
    )


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("python", "def f():\n    ║\n"),
        ("python", "def f():\n    ║"),
        ("python", "def f():║\n"),
        ("python", "def f(\n    a,\n) -> int:\n    ║\n\n\nx = 1\n"),
        ("python", "class A:\n    def f(self):  # why\n        ║\n\n    def g(self): pass\n"),
        ("python", "if x:\r\n    ║\r\nelse:\r\n    pass\r\n"),
        ("python", "def f():\n\n    # what it does\n    ║\n"),
        ("javascript", "function f() {\n  ║\n}\n"),
        ("javascript", "a.map((x) => {\n  ║\n});\n"),
        ("typescript", "class A {\n  f(x: number): void {\n    ║\n  }\n}\n"),
        ("typescriptreact", "export const A = () => {║\n"),
        ("go", "package a\n\nfunc f() int {\n\t║\n}\n"),
        ("c", "int f(void)\n{\n  ║\n}\n"),
        ("rust", "impl A {\n    fn f(&self) -> u8 { // why\n        ║\n    }\n}\n"),
        ("java", "class A {\n  int f() {\n    ║\n  }\n}\n"),
        ("cpp", "for (auto x : y) {\n  ║\n\nint z;\n"),
        ("csharp", "class A\n{\n    ║\n}\n"),
        ("ruby", "def f(x)\n  ║\nend\n"),
        ("ruby", "x.each do |y|\n  ║\nend\n"),
        ("lua", "local function f(x)\n  ║\nend\n"),
        ("shellscript", "if true; then\n  ║\nfi\n"),
        ("php", "<?php\nfunction f() {\n  ║\n}\n"),
        ("zig", "fn f() void {\n    ║\n}\n"),
    ],
)
def test_an_empty_body_wants_several_lines(language_id: str, marked: str) -> None:
    assert wants_multiline(*at_cursor(language_id, marked))


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("python", "def f():\n    x = ║\n"),
        ("python", "def f():\n    ║return 1\n"),
        ("python", "def f():\n    ║\n    return 1\n"),
        ("python", "x = {\n    'a':\n    ║\n}\n"),
        ("python", "# if so:\n║\n"),
        ("python", 's = """\nif so:\n    ║\n"""\n'),
        ("python", "║\nx = 1\n"),
        ("python", "x = 1\n║"),
        ("javascript", "function f() {\n  ║\n  return 1;\n}\n"),
        ("javascript", "function f() { ║ }\n"),
        ("typescript", "let s = `{\n  ║\n`;\n"),
        ("go", "package a\n\nfunc f() int {\n\treturn ║\n}\n"),
        ("c", "int f(void) { // {\n  int x;\n  ║\n}\n"),
        ("rust", "fn f() {}\n║\n"),
        ("java", "class A {\n  int f() { return 1; }\n  ║\n}\n"),
        ("json", "{\n  ║\n}\n"),
        ("ruby", "x = 1 if y\n║\n"),
    ],
)
def test_elsewhere_one_line_is_enough(language_id: str, marked: str) -> None:
    assert not wants_multiline(*at_cursor(language_id, marked))


@pytest.mark.parametrize(
    ("marked", "kind"),
    [
        ("x = 1  # ║é\n", "comment"),
        ("é = '║a'\n", "string_content"),
        ("foo(║bar)\n", "identifier"),
        ("x\n║", None),
    ],
)
def test_the_kind_of_node_at_a_character(marked: str, kind: str | None) -> None:
    assert node_kind_at(*at_cursor("python", marked)) == kind


@pytest.mark.parametrize(
    ("marked", "kind"),
    [
        ("# a\n\nsome é `co║de` here\n", "code_span"),
        ("some *wo║rds*\n", "emphasis"),
        ("- a\n\n```py\nx = ║1\n```\n", "code_fence_content"),
        ("plain wo║rds\n", "inline"),
    ],
)
def test_in_markdown_both_blocks_and_what_is_in_their_lines_have_kinds(
    marked: str, kind: str
) -> None:
    assert node_kind_at(*at_cursor("markdown", marked)) == kind


def test_in_a_long_text_places_stay_those_of_the_text() -> None:
    filler = "def g(é):\n    return é\n\n\n" * 2000
    snapshot, offset = at_cursor("python", filler + "def f():\n    x = ║1\n\n\n" + filler)

    assert node_kind_at(snapshot, offset) == "integer"
