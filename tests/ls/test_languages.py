"""The table of languages: names of files, ids, and one right text for each grammar."""

import pytest

from dgemma_engine.types import Span
from dgemma_ls.gate import broken_spans, check
from dgemma_ls.languages import GRAMMARS, PLAINTEXT, canonical_id, grammar_for, language_for_path
from dgemma_ls.syntax import find_flaws
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

# For each language a right text with ├right│wrong┤ in it.
SAMPLES = {
    "python": "def f(x):\n    return [├x│x 1┤]\n",
    "javascript": "const f = (x) => [├x│x 1┤];\n",
    "javascriptreact": "const e = <a href='x'>{├y│y z┤}</a>;\n",
    "typescript": "const x = <number>├y│y z┤;\nlet f: (a: string) => void;\n",
    "typescriptreact": "const e: E = <a>{├y│y z┤}</a>;\n",
    "json": '{"a": [1, ├true│true false┤]}\n',
    "jsonc": '// why\n{"a": ├1│1 2┤}\n',
    "yaml": "a:\n  - b: ├[1, 2]│[1, 2┤\n  - c\n",
    "toml": "[a.b]\nc = ├1│┤\nd = ['x', 2]\n",
    "html": "<!doctype html>\n<p class='a'>b├</p>│</p┤\n",
    "xml": "<?xml version='1.0'?>\n<a b='c'>d├<e/>│<e┤</a>\n",
    "css": "a:hover { color: ├red│red }┤; }\n@media print { b { top: 0 } }\n",
    "go": "package a\n\nfunc f(x int) int {\n\treturn ├x + 1│x +┤\n}\n",
    "rust": "fn f(x: &str) -> Vec<u8> {\n    vec![├1, 2│1)┤]\n}\n",
    "c": "#include <stdio.h>\nint f(int x) {\n  return ├x + 1│x +┤;\n}\n",
    "cpp": "template <class T> auto f(T x) {\n  return ├x + 1│x +┤;\n}\n",
    "java": "class A {\n  int f(int x) {\n    return ├x + 1│x +┤;\n  }\n}\n",
    "csharp": "class A {\n  int F(int x) {\n    return ├x + 1│x +┤;\n  }\n}\n",
    "ruby": "def f(x)\n  [├x│x 1 2)┤].map { |y| y + 1 }\nend\n",
    "php": "<p>a</p>\n<?php function f($x) { return ├$x + 1│$x +┤; }\n",
    "shellscript": 'f() {\n  if [ -n "$1" ]├; then│; fi┤\n    echo $(ls)\n  fi\n}\n',
    "lua": "local function f(x)\n  return ├x + 1│x +┤\nend\n",
    "sql": "SELECT a, b FROM t WHERE ├a = 1│a = (┤ ORDER BY b;\n",
}


@pytest.mark.parametrize("language_id", SAMPLES)
def test_what_breaks_a_text_is_refused_and_what_mends_it_passes(language_id: str) -> None:
    before, _, rest = SAMPLES[language_id].partition("├")
    inside, _, behind = rest.partition("┤")
    right, wrong = inside.split("│")

    def edit(old: str, new: str) -> tuple[Snapshot, Edit]:
        text = before + old + behind
        span = Span(start=len(before), end=len(before) + len(old))
        return (
            Snapshot(uri="a", version=1, language_id=language_id, text=text),
            Edit(uri="a", version=1, span=span, new_text=new),
        )

    assert find_flaws(language_id, before + right + behind) == ()
    assert check(*edit(wrong, right)) == edit(wrong, right)[1]
    assert broken_spans(*edit(wrong, right)) == ()
    assert check(*edit(right, wrong)) == Refusal(reason=RefusalReason.BREAKS_PARSE)
    assert broken_spans(*edit(right, wrong))


def test_every_language_of_the_table_has_a_sample() -> None:
    assert {*SAMPLES, "markdown"} == set(GRAMMARS)  # any text is Markdown


def test_markdown_with_code_has_no_flaw() -> None:
    assert find_flaws("markdown", "# a\n\n- b\n\n```py\nx(\n```\n") == ()


@pytest.mark.parametrize(
    ("path", "language_id"),
    [
        ("a/b.py", "python"),
        ("B.PYI", "python"),
        ("a.mjs", "javascript"),
        ("a.jsx", "javascriptreact"),
        ("a.ts", "typescript"),
        ("a.tsx", "typescriptreact"),
        ("a.json", "json"),
        ("tsconfig.json", "jsonc"),
        ("a.jsonc", "jsonc"),
        ("a.md", "markdown"),
        ("a.yml", "yaml"),
        ("a.rs", "rust"),
        ("a.h", "c"),
        ("a.hpp", "cpp"),
        ("a.cs", "csharp"),
        ("x/Gemfile", "ruby"),
        (".bashrc", "shellscript"),
        ("a.zig", PLAINTEXT),
        ("Makefile", PLAINTEXT),
        (".py", PLAINTEXT),
    ],
)
def test_the_name_of_a_file_tells_the_language(path: str, language_id: str) -> None:
    assert language_for_path(path) == language_id


def test_other_names_of_a_language_mean_the_same() -> None:
    assert canonical_id("bash") == "shellscript"
    assert grammar_for("tsx") == grammar_for("typescriptreact")
    assert grammar_for("zig") is None
