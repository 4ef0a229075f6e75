"""Whole lines that are for tools or lawyers."""

import re
from collections.abc import Iterator

_DIRECTIVES = re.compile(
    r"""
    \bnoqa\b | \btype:\s*ignore | \b(?:pylint|pyright|mypy|flake8|ruff|isort|nosec|nosemgrep)\b\s*:
    | \bfmt:\s*(?:on|off|skip) | \bpragma: | ^\s*pragma\b | -\*-.*-\*-
    | \b(?:vim?|ex):\s*\S | ^\s*!/
    | \b(?:eslint|tslint|jshint|jslint|stylelint|biome|oxlint|deno-lint)\b[-:\s]
    | \b(?:prettier|markdownlint|cspell|spell-checker|codespell|typos|vale|textlint)\b\s*[-:]
    | @ts-(?:ignore|expect-error|nocheck|check) | \b(?:istanbul|c8|v8)\s+ignore
    | \b(?:NOLINT|NOSONAR|NOPMD|CHECKSTYLE|LCOV_EXCL|GCOVR_EXCL|LINT)\w* | \bclang-format\b
    | \bcoding[:=]\s*[\w.-]+ | ^\s*(?:go:\w+|\+build\b|nolint\b|export\ \w+$|\#(?:end)?region\b)
    | ^\s*(?:end)?region\b | \brubocop:\w+ | \bfrozen_string_literal: | \bshellcheck\s+\w+=
    | \b(?:webpack|vite|rollup)\w+: | sourceMappingURL | \bphpcs:\w+ | @(?:phpstan|psalm)-\w+
    | ^\s*<(?:reference|amd-\w+)\b | ^\s*@(?:jsx|flow|format|generated|license|preserve)\b
    | ^\s*\w+:\s*(?:disable|enable|ignore)\b | \b(?:doctest|docformat):
    | ^\s*(?:end\s+)?namespace(?:\s+[\w:]+)?\s*$
    """,
    re.VERBOSE,
)
_LICENCE = re.compile(
    r"SPDX-|\bCopyright\b|\(c\)\s*(?:19|20)\d\d|©|\bAll rights reserved\b|\bLicensed under\b"
    r"|\bPermission is hereby granted\b|\bWITHOUT WARRANT|\bAS IS\b|\bGNU (?:\w+ )?General Public"
    r"|\bRedistribution and use\b|^\s*(?:Signed-off-by|Co-authored-by|Reviewed-by|Acked-by|"
    r"Tested-by|Reported-by|Change-Id|Cc|Fixes|Closes|Refs?|See-also):",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\r\n]+")


def directives(text: str) -> Iterator[tuple[int, int]]:
    """Lines that speak to linters, formatters, compilers and editors."""
    for match in _LINE.finditer(text):
        if _DIRECTIVES.search(match[0]):
            yield match.span()


def licence_lines(text: str) -> Iterator[tuple[int, int]]:
    """Copyright, licences, SPDX tags, and the trailers of commit messages."""
    for match in _LINE.finditer(text):
        if _LICENCE.search(match[0]):
            yield match.span()
