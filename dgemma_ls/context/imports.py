"""Which files of the workspace a document imports: names only, nothing is read here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dgemma_ls.syntax import matches

_HEAD_CHARS = 16_000  # imports stand at the top
_PYTHON = """
(import_statement name: [(dotted_name) @module (aliased_import name: (_) @module)])
(import_from_statement module_name: (_) @module (wildcard_import))
(import_from_statement
  module_name: (_) @module name: [(dotted_name) @name (aliased_import name: (_) @name)])
"""
_JAVASCRIPT = """
(import_statement source: (string (string_fragment) @module))
(import_statement
  (import_clause (named_imports (import_specifier name: (_) @name)))
  source: (string (string_fragment) @module))
(export_statement source: (string (string_fragment) @module))
(call_expression
  function: (identifier) @call arguments: (arguments . (string (string_fragment) @module)))
"""
_PYTHON_ID = "python"
_SCRIPT_IDS = ("javascript", "javascriptreact", "typescript", "typescriptreact")
_QUERIES = {_PYTHON_ID: _PYTHON, **dict.fromkeys(_SCRIPT_IDS, _JAVASCRIPT)}
_SCRIPT_ENDS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """A file that a document imports.

    Attributes:
        path: absolute, inside the workspace folder by its name.
        names: what is imported from it; all of it where empty.
    """

    path: Path
    names: tuple[str, ...]


def imported_files(
    language_id: str, text: str, path: Path, folder: Path
) -> tuple[ImportedFile, ...]:
    """Find the files that a document imports, in the order of its imports.

    Python: relative imports, and absolute ones from the workspace folder, its ``src`` and the
    folders around the document. JavaScript and TypeScript: relative imports.

    Args:
        language_id: of the document; other languages import nothing.
        text: the document.
        path: its path, absolute.
        folder: the workspace folder around it; nothing outside is looked at.
    """
    if language_id not in _QUERIES:
        return ()
    find = _python_files if language_id == _PYTHON_ID else _script_files
    found: dict[Path, tuple[str, ...]] = {}
    for module, names in _imports(language_id, _head(text)):
        for alternatives, wanted in find(module, names, path, folder):
            file = next((file for file in alternatives if _exists(file, folder)), None)
            if file is not None and file != path:
                found.setdefault(file, wanted)
    return tuple(ImportedFile(path=file, names=names) for file, names in found.items())


_Alternatives = tuple[Sequence[Path], tuple[str, ...]]


@lru_cache(maxsize=16)
def _imports(language_id: str, head: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    modules: dict[str, tuple[str, ...]] = {}
    for match in matches(language_id, head, _QUERIES[language_id]):
        cut = {key: head[span.start : span.end] for key, span in match.items()}
        if cut.get("call", "require") != "require":
            continue
        module = "".join(cut["module"].split())
        names = modules.setdefault(module, ())
        if "name" in cut and cut["name"] not in names:
            modules[module] = (*names, cut["name"])
    return tuple(modules.items())


def _python_files(
    module: str, names: tuple[str, ...], path: Path, folder: Path
) -> Iterator[_Alternatives]:
    tail = module.lstrip(".")
    n_dots = len(module) - len(tail)
    parts = tail.split(".") if tail else []
    if n_dots > len(path.parents):
        return
    roots = [path.parents[n_dots - 1]] if n_dots else _python_roots(path, folder)
    bases = [root.joinpath(*parts) for root in roots]
    own = [file for base in bases for file in _python_module(base, is_folder=not parts)]
    yield own, names
    packages = [base for base in bases if names and _is_folder(base)]
    for name in names:  # of a package, it may be a module of its own
        yield [file for base in packages for file in _python_module(base / name)], ()


def _python_module(base: Path, *, is_folder: bool = False) -> list[Path]:
    package = base / "__init__.py"
    return [package] if is_folder else [base.with_name(f"{base.name}.py"), package]


def _python_roots(path: Path, folder: Path) -> list[Path]:
    around = [parent for parent in path.parents if parent.is_relative_to(folder)]
    return list(dict.fromkeys((folder, folder / "src", *reversed(around))))


def _script_files(
    module: str, names: tuple[str, ...], path: Path, folder: Path
) -> Iterator[_Alternatives]:
    del folder
    if not module.startswith(("./", "../")) and module not in (".", ".."):
        return
    base = _plain(path.parent / module)
    if base.suffix in (".js", ".jsx", ".mjs", ".cjs"):  # TypeScript's imports name the output
        ends = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
        yield [base, *(base.with_suffix(end) for end in ends[base.suffix])], names
        return
    files = [base] if base.name.endswith(_SCRIPT_ENDS) else []
    files += [base.with_name(base.name + end) for end in _SCRIPT_ENDS if base.name]
    yield [*files, *(base / f"index{end}" for end in _SCRIPT_ENDS)], names


def _plain(path: Path) -> Path:
    """Take out ``..`` by name: what lies behind links is looked at when the file is read."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            del parts[max(1, len(parts) - 1) :]
        else:
            parts.append(part)
    return Path(*parts)


def _is_folder(base: Path) -> bool:
    try:
        return base.is_dir()
    except (OSError, ValueError):
        return False


def _exists(file: Path, folder: Path) -> bool:
    try:
        return file.is_relative_to(folder) and file.is_file()
    except (OSError, ValueError):  # a name that can be none
        return False


def _head(text: str) -> str:
    """Give whole lines at the top, so that typing further down changes nothing."""
    return text if len(text) <= _HEAD_CHARS else text[: text.rfind("\n", 0, _HEAD_CHARS) + 1]
