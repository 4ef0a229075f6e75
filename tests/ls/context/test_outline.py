import ast
from pathlib import Path

import pytest

import dgemma_ls
from dgemma_ls.context.outline import has_outline, outline


def check(language_id: str, text: str, expect: str) -> None:
    lines = [one.line for one in outline(language_id, text)]
    assert "\n".join(lines) == expect.strip("\n")


def test_python_signatures_stand_without_bodies() -> None:
    check(
        "python",
        '''
import os

class A(B):
    """Doc."""
    x: int = 1
    @property
    def m(
        self,
        a: int,  # the first
    ) -> int:
        def inner(): ...
        class Local: ...
        return 1
    class Inner:
        def n(self): ...

async def f(x=(1, 2)): return x
''',
        """
class A(B):
    def m(self, a: int) -> int:
    class Inner:
        def n(self):
async def f(x=(1, 2)):
""",
    )


def test_typescript_signatures_stand_without_bodies() -> None:
    check(
        "typescript",
        """
export abstract class A<T> extends B { m(a: number): void { const h = () => 1; } }
export interface I extends J { a: string }
export type Q = { a: 1 };
enum E { A }
export const f = async (a: number) => { return 1 };
export default function g() { function inner() {} }
declare function h(a: string): void;
""",
        """
class A<T> extends B
    m(a: number): void
interface I extends J
type Q = { a: 1 };
enum E
const f = async (a: number) =>
function g()
function h(a: string): void;
""".replace("class A", "abstract class A"),
    )


def test_javascript_has_no_types() -> None:
    check(
        "javascript",
        "class A { get x() { return 1 } }\nfunction* g() {}\n",
        "class A\n    get x()\nfunction* g()",
    )


def test_definitions_without_a_space_between_them_do_not_nest() -> None:
    check(
        "javascript", "function f(){}class A{}function g(){}", "function f()\nclass A\nfunction g()"
    )


def test_a_member_knows_its_outermost_class() -> None:
    owners = [
        one.owner for one in outline("python", "class A:\n class B:\n  def f(): 1\ndef g(): 1")
    ]
    assert owners == ["A", "A", "A", "g"]


def test_a_text_with_errors_has_an_outline_too() -> None:
    check("python", "def f(a):\n    return a a\n\ndef g(b):\n    pass\n", "def f(a):\ndef g(b):")


def test_offsets_are_code_points() -> None:
    check("python", "s = '𝒳é'\ndef größe(é='𝒳'): pass\n", "def größe(é='𝒳'):")


def test_other_languages_have_none() -> None:
    assert not has_outline("json")
    with pytest.raises(ValueError, match="json"):
        outline("json", "{}")


_OWN = sorted(Path(dgemma_ls.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", _OWN, ids=lambda file: file.name)
def test_pythons_own_parser_finds_the_same_names(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    expected: list[str] = []

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                expected.append(child.name)
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                walk(child)

    walk(ast.parse(text))
    assert [one.name for one in outline("python", text)] == expected
