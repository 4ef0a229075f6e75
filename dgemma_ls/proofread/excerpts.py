"""Texts that begin or end inside a docstring, a comment or a fence: parts of files, hunks of diffs.

Read as a file, all in such a text is turned round: code is prose and prose is code. What is put
around it here for parsing makes it whole again.
"""

import re

from dgemma_ls.proofread.language import Language, judge_language
from dgemma_ls.proofread.paragraphs import is_code_line
from dgemma_ls.syntax import find_flaws, has_grammar

_QUOTES = {"python": (('"""\n', '\n"""'), ("'''\n", "\n'''"))}
_STARS = (("/*\n", "\n*/"),)
_C_LIKE = (
    *("javascript", "javascriptreact", "typescript", "typescriptreact", "go", "rust", "c", "cpp"),
    *("java", "csharp", "php", "css"),
)
_AROUND = {**_QUOTES, **dict.fromkeys(_C_LIKE, _STARS)}
_MAX_CHARACTERS = 50_000  # what is longer is a whole file
_FENCE_LINE = re.compile(r"^ {0,3}(?:```+|~~~+)[ \t]*(.*)$", re.MULTILINE)


def what_is_cut_off(language_id: str, text: str) -> tuple[str, str]:
    """Give what must stand before and after a text so that it parses much better, mostly nothing.

    Args:
        language_id: any language.
        text: a file, or consecutive lines of one.
    """
    if len(text) > _MAX_CHARACTERS:
        return "", ""
    if language_id == "markdown":
        return ("```\n" if _begins_in_fence(text) else ""), ""
    if language_id not in _AROUND or not has_grammar(language_id):
        return "", ""
    best, least = ("", ""), _damage(language_id, text) // 2
    if not least:
        return best
    marks = [(before, after) for before, after in _AROUND[language_id] if _has(text, before, after)]
    for before, after in marks:
        for around in ((before, ""), ("", after), (before, after)):
            damage = _damage(language_id, around[0] + text + around[1])
            if damage < least:
                best, least = around, damage
    # Any text without the mark could be put between two of them, if it reads like prose.
    return best if marks or not _reads_like_prose(text) else _AROUND[language_id][0]


def _has(text: str, before: str, after: str) -> bool:
    return before.strip() in text or after.strip() in text


def _reads_like_prose(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    n_code = sum(map(is_code_line, lines))
    return n_code * 5 <= len(lines) and judge_language(text) is Language.ENGLISH


def _damage(language_id: str, text: str) -> int:
    flaws = [flaw for flaw in find_flaws(language_id, text) if not flaw.nested]
    return sum(flaw.span.end - flaw.span.start + 1 for flaw in flaws)


def _begins_in_fence(text: str) -> bool:
    """Say whether the first fence closes one: if it opens, a later one would close with a name."""
    names = [match[1].strip() for match in _FENCE_LINE.finditer(text)]
    if not names or names[0]:
        return False
    return any(names[1::2]) or (len(names) == 1 and not text.rstrip().endswith(("```", "~~~")))
