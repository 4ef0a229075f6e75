"""How each language begins a line comment. Languages without one get no context from other files.

Block comments are left out on purpose: text that happens to end one would become code.
"""

_MARKERS: dict[str, tuple[str, ...]] = {
    "#": (
        *("python", "ruby", "shellscript", "bash", "sh", "zsh", "fish", "perl", "r", "julia"),
        *("yaml", "toml", "makefile", "dockerfile", "cmake", "elixir", "nim", "powershell", "tcl"),
        *("nix", "terraform", "hcl", "graphql", "gdscript", "crystal", "coffeescript", "awk"),
    ),
    "//": (
        *("javascript", "javascriptreact", "typescript", "typescriptreact", "jsonc", "go", "rust"),
        *("c", "cpp", "cuda-cpp", "objective-c", "objective-cpp", "java", "csharp", "fsharp"),
        *("kotlin", "swift", "scala", "dart", "groovy", "php", "scss", "less", "zig", "proto"),
        *("solidity", "verilog", "systemverilog", "d", "v", "jsonnet"),
    ),
    "--": ("lua", "sql", "haskell", "ada", "elm", "vhdl", "applescript"),
    "%": ("tex", "latex", "matlab", "erlang", "prolog"),
    ";": ("clojure", "lisp", "scheme", "racket", "ini", "asm"),
    '"': ("vim",),
}
_BY_LANGUAGE = {name: marker for marker, names in _MARKERS.items() for name in names}


def line_comment(language_id: str) -> str | None:
    """Give what begins a line comment in a language (LSP id), or ``None``."""
    return _BY_LANGUAGE.get(language_id)
