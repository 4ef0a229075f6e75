"""The one table of languages: LSP language id → grammar, file name → language id.

Names only: nothing is imported here. A new language takes two lines, its grammar in ``GRAMMARS``
and its suffixes in ``_SUFFIXES``, and the grammar's wheel in ``pyproject.toml``.
"""

from pathlib import PurePath
from typing import NamedTuple

PLAINTEXT = "plaintext"


class Grammar(NamedTuple):
    """Where a grammar is found: the module of its wheel, and the function that gives it.

    Attributes:
        module: to import.
        function: to call in it.
        stand_alone: whether a run of whole top-level constructs, cut out of a file, parses as it
            does in the file. Not so where the file has a frame (JSON, HTML) or a mode (PHP).
        indented: whether blocks are told by indentation, not by braces.
    """

    module: str
    function: str = "language"
    stand_alone: bool = True
    indented: bool = False


GRAMMARS = {
    "python": Grammar("tree_sitter_python", indented=True),
    "javascript": Grammar("tree_sitter_javascript"),
    "javascriptreact": Grammar("tree_sitter_javascript"),
    "typescript": Grammar("tree_sitter_typescript", "language_typescript"),
    "typescriptreact": Grammar("tree_sitter_typescript", "language_tsx"),
    "json": Grammar("tree_sitter_json", stand_alone=False),  # it takes comments
    "jsonc": Grammar("tree_sitter_json", stand_alone=False),
    "yaml": Grammar("tree_sitter_yaml", stand_alone=False),
    "toml": Grammar("tree_sitter_toml"),
    "html": Grammar("tree_sitter_html", stand_alone=False),
    "xml": Grammar("tree_sitter_xml", "language_xml", stand_alone=False),
    "css": Grammar("tree_sitter_css"),
    "markdown": Grammar("tree_sitter_markdown", stand_alone=False),
    "go": Grammar("tree_sitter_go"),
    "rust": Grammar("tree_sitter_rust"),
    "c": Grammar("tree_sitter_c"),
    "cpp": Grammar("tree_sitter_cpp"),
    "java": Grammar("tree_sitter_java"),
    "csharp": Grammar("tree_sitter_c_sharp"),
    "ruby": Grammar("tree_sitter_ruby"),
    "php": Grammar("tree_sitter_php", "language_php", stand_alone=False),
    "shellscript": Grammar("tree_sitter_bash"),
    "lua": Grammar("tree_sitter_lua"),
    "sql": Grammar("tree_sitter_sql"),
}

INLINE_GRAMMARS = {
    "markdown": Grammar("tree_sitter_markdown", "inline_language", stand_alone=False),
}
"""For languages whose grammar leaves the insides of its ``inline`` nodes to a second one."""

_ALIASES = {  # what some editors say instead
    "bash": "shellscript",
    "sh": "shellscript",
    "zsh": "shellscript",
    "c++": "cpp",
    "c_sharp": "csharp",
    "cs": "csharp",
    "js": "javascript",
    "jsx": "javascriptreact",
    "ts": "typescript",
    "tsx": "typescriptreact",
    "json5": "jsonc",
    "rst": "restructuredtext",
    # Emacs, by its modes.
    "gfm": "markdown",
    "python-base": "python",
    "js-base": "javascript",
    "ruby-base": "ruby",
    "sh-base": "shellscript",
}

_SUFFIXES = {
    **dict.fromkeys((".py", ".pyi", ".pyw"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs"), "javascript"),
    ".jsx": "javascriptreact",
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "typescriptreact",
    ".json": "json",
    ".jsonc": "jsonc",
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    ".toml": "toml",
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".xml", ".xsd", ".xsl", ".xslt", ".svg"), "xml"),
    ".css": "css",
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".rst", ".rest"), "restructuredtext"),
    ".go": "go",
    ".rs": "rust",
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "cpp"),
    ".java": "java",
    **dict.fromkeys((".cs", ".csx"), "csharp"),
    **dict.fromkeys((".rb", ".rake", ".gemspec"), "ruby"),
    **dict.fromkeys((".php", ".phtml"), "php"),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ksh"), "shellscript"),
    ".lua": "lua",
    ".sql": "sql",
}

_FILE_NAMES = {
    **dict.fromkeys(("COMMIT_EDITMSG", "MERGE_MSG", "TAG_EDITMSG"), "git-commit"),
    **dict.fromkeys(("SConstruct", "SConscript", "wscript"), "python"),
    **dict.fromkeys((".babelrc", ".eslintrc", "tsconfig.json", "jsconfig.json"), "jsonc"),
    **dict.fromkeys((".clang-format", ".clang-tidy", ".clangd"), "yaml"),
    **dict.fromkeys(("Cargo.lock", "Pipfile", "poetry.lock", "uv.lock"), "toml"),
    **dict.fromkeys(("Gemfile", "Rakefile", "Vagrantfile", "Brewfile"), "ruby"),
    **dict.fromkeys((".bashrc", ".bash_profile", ".profile", ".zshrc", "PKGBUILD"), "shellscript"),
}


def language_for_path(path: str | PurePath) -> str:
    """Give the language id that a file's name stands for, ``plaintext`` when unknown."""
    path = PurePath(path)
    return _FILE_NAMES.get(path.name) or _SUFFIXES.get(path.suffix.lower(), PLAINTEXT)


def languages() -> tuple[str, ...]:
    """List the language ids that have a grammar."""
    return tuple(GRAMMARS)


def canonical_id(language_id: str) -> str:
    """Give the protocol's id of a language for what some editors call it."""
    return _ALIASES.get(language_id, language_id)


def grammar_for(language_id: str) -> Grammar | None:
    """Give the grammar of a language, ``None`` where there is none."""
    return GRAMMARS.get(canonical_id(language_id))
