from pathlib import Path

import pytest

from dgemma_ls.context.imports import imported_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    for name in (
        *("pkg/__init__.py", "pkg/a.py", "pkg/sub/__init__.py", "pkg/sub/b.py", "pkg/sub/c.py"),
        *("src/lib/__init__.py", "src/lib/d.py", "top.py", "tools/near.py", "tools/main.py"),
        *("web/app.ts", "web/model.ts", "web/view.tsx", "web/kit/index.js", "web/old.js"),
        *("web/out.ts", "web/types.d.ts"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (tmp_path / "outside.py").touch()
    (tmp_path / "outside.ts").touch()
    return folder


def check(folder: Path, at: str, text: str, expect: dict[str, str]) -> None:
    """``expect``: file -> the names imported from it, empty for all."""
    language_id = "python" if at.endswith(".py") else "typescript"
    found = imported_files(language_id, text, folder / at, folder)
    shown = {one.path.relative_to(folder).as_posix(): " ".join(one.names) for one in found}
    assert shown == expect
    assert list(shown) == list(expect)


def test_absolute_python_imports(folder: Path) -> None:
    check(
        folder,
        "pkg/a.py",
        "import os, top as t\nimport pkg.sub.b\nfrom pkg.sub.c import X as Y, z\n",
        {"top.py": "", "pkg/sub/b.py": "", "pkg/sub/c.py": "X z"},
    )


def test_relative_python_imports(folder: Path) -> None:
    check(folder, "pkg/sub/b.py", "from .c import *\nfrom ..a import f\n",
          {"pkg/sub/c.py": "", "pkg/a.py": "f"})  # fmt: skip


def test_a_name_may_be_a_module(folder: Path) -> None:
    check(folder, "pkg/a.py", "from .sub import b, X\nfrom . import sub\n",
          {"pkg/sub/__init__.py": "b X", "pkg/sub/b.py": "", "pkg/__init__.py": "sub"},
          )  # fmt: skip


def test_imports_from_src_and_from_a_scripts_own_folder(folder: Path) -> None:
    check(folder, "tools/main.py", "import near\nfrom lib import d\n",
          {"tools/near.py": "", "src/lib/__init__.py": "d", "src/lib/d.py": ""})  # fmt: skip


def test_imports_inside_functions_and_beside_errors_count(folder: Path) -> None:
    check(folder, "pkg/a.py", "def f(:\n    import top\n", {"top.py": ""})


def test_script_imports(folder: Path) -> None:
    check(
        folder,
        "web/app.ts",
        """import m, { A as B, type C } from "./model";
import type { V } from './view';
export * from './kit';
const o = require('./old.js'), p = load('./out.js');
import './out.js'; import t from './types'; import React from 'react';
""",
        {
            "web/model.ts": "A C",
            "web/view.tsx": "V",
            "web/kit/index.js": "",
            "web/old.js": "",
            "web/out.ts": "",
            "web/types.d.ts": "",
        },
    )


def test_nothing_outside_the_folder_is_named(folder: Path) -> None:
    check(folder, "top.py", "from ..outside import x\nfrom ........a import b\n", {})
    check(folder, "web/app.ts", "import '../../outside'; import '../../../../../../x'", {})
    check(folder, "web/app.ts", "import '/etc/passwd'; import './a\\0b'; import './\ud800'", {})


def test_a_document_does_not_import_itself(folder: Path) -> None:
    check(folder, "top.py", "import top\n", {})


def test_other_languages_import_nothing(folder: Path) -> None:
    assert imported_files("markdown", "import top\n", folder / "a.md", folder) == ()
