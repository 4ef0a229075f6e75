"""Where comments, docstrings, strings and names stand in each grammar.

Queries in tree-sitter's language, with captures ``comment``, ``docstring``, ``string``, ``name``.
"""

_COMMENT = "(comment) @comment"
_LINE_AND_BLOCK = "(line_comment) @comment (block_comment) @comment"
_ECMASCRIPT = "(identifier) @name (property_identifier) @name (shorthand_property_identifier) @name"
_TYPESCRIPT = f"{_ECMASCRIPT} (type_identifier) @name"
_C = "(identifier) @name (field_identifier) @name (type_identifier) @name"

_COMMENTS = {
    "python": _COMMENT
    + " (module . (comment)* . (expression_statement . (string (string_content) @docstring) .))"
    + " (block . (comment)* . (expression_statement . (string (string_content) @docstring) .))"
    # A string behind an assignment documents the attribute.
    + " ((expression_statement (assignment)) . (expression_statement . (string (string_content)"
    + " @docstring) .))",
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _COMMENT),
    **dict.fromkeys(("go", "c", "cpp", "csharp", "ruby", "php", "lua", "css"), _COMMENT),
    **dict.fromkeys(("bash", "shellscript", "html", "yaml", "toml", "jsonc", "json"), _COMMENT),
    **dict.fromkeys(("rust", "java"), _LINE_AND_BLOCK),
    "sql": "(comment) @comment (marginalia) @comment",
    "xml": "(Comment) @comment",
}

_STRINGS = {
    "python": "(string) @string",
    "javascript": "(string) @string (template_string) @string",
    "typescript": "(string) @string (template_string) @string",
    **dict.fromkeys(
        ("javascriptreact", "typescriptreact"),
        "(string) @string (template_string) @string (jsx_text) @string",
    ),
    "go": "(interpreted_string_literal) @string (raw_string_literal) @string",
    "rust": "(string_literal) @string (raw_string_literal) @string",
    "c": "(string_literal) @string",
    "cpp": "(string_literal) @string (raw_string_literal) @string",
    "java": "(string_literal) @string",
    "csharp": "(string_literal) @string (verbatim_string_literal) @string"
    " (interpolated_string_expression) @string",
    "ruby": "(string) @string",
    "php": "(string) @string (encapsed_string) @string",
    **dict.fromkeys(("bash", "shellscript"), "(string) @string (raw_string) @string"),
    "lua": "(string) @string",
}

# What in a string is not its text: the parts of it that are code.
_STRING_CODE = {
    "python": "(string (interpolation) @code) (string (string_content (escape_sequence) @code))"
    " (string (string_content (escape_interpolation) @code))",
    **dict.fromkeys(
        ("javascript", "typescript", "javascriptreact", "typescriptreact"),
        "(escape_sequence) @code (template_substitution) @code",
    ),
    **dict.fromkeys(("go", "rust", "c", "cpp", "java", "lua"), "(escape_sequence) @code"),
    "csharp": "(escape_sequence) @code (interpolation) @code",
    "ruby": "(escape_sequence) @code (interpolation) @code",
    "php": "(escape_sequence) @code",
}

_NAMES = {
    "python": "(identifier) @name",
    **dict.fromkeys(("javascript", "javascriptreact"), _ECMASCRIPT),
    **dict.fromkeys(("typescript", "typescriptreact"), _TYPESCRIPT),
    "go": f"{_C} (package_identifier) @name",
    "rust": _C,
    "c": _C,
    "cpp": f"{_C} (namespace_identifier) @name",
    "java": "(identifier) @name (type_identifier) @name",
    "csharp": "(identifier) @name",
    "ruby": "(identifier) @name (constant) @name",
    "php": "(name) @name",
    **dict.fromkeys(("bash", "shellscript"), "(variable_name) @name (command_name) @name"),
    "lua": "(identifier) @name",
    "sql": "(identifier) @name",
    "css": "(class_name) @name (property_name) @name (id_name) @name",
    **dict.fromkeys(("json", "jsonc"), "(pair key: (string (string_content) @name))"),
}


def comments_query(language_id: str) -> str | None:
    """Give the query for comments and docstrings, ``None`` for a language without."""
    return _COMMENTS.get(language_id)


def strings_query(language_id: str) -> str | None:
    """Give the query for strings (``string``) and the code within them (``code``)."""
    if language_id not in _STRINGS:
        return None
    return f"{_STRINGS[language_id]} {_STRING_CODE.get(language_id, '')}"


def names_query(language_id: str) -> str | None:
    """Give the query for the names of a program, ``None`` for a language without."""
    return _NAMES.get(language_id)
