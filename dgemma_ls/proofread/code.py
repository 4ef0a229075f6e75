"""Comments, docstrings and strings of programs → regions."""

import re
from collections.abc import Iterator, Sequence

from dgemma_engine.types import Span
from dgemma_ls.proofread.assemble import make_region, stretches
from dgemma_ls.proofread.paragraphs import (
    Paragraph,
    column,
    filled_lines,
    is_code_line,
    paragraphs,
    split_lines,
)
from dgemma_ls.proofread.queries import comments_query, strings_query
from dgemma_ls.proofread.types import Region, RegionKind
from dgemma_ls.syntax import captures, has_grammar, parses

# Opening mark -> closing mark of a comment, the longer opening mark first.
_MARKS = (
    (re.compile(r"/\*+!?<?"), re.compile(r"\*+/$")),
    (re.compile(r"<!--+"), re.compile(r"--+>$")),
    (re.compile(r"--\[(=*)\["), re.compile(r"\](=*)\]$")),
    (re.compile(r"=begin\b"), re.compile(r"=end$")),
    (re.compile(r"/{2,}[!<]?|#+[:|]?|--+[|!^]?|;+|%+"), None),
)
_STAR = re.compile(r"\s*\*+(?=\s|$)")
_LICENCE = re.compile(
    r"SPDX-|Permission is hereby granted|Licensed under|Redistribution and use|GNU \w+ ?General"
    r"|governed by a|All rights reserved|(?:under|subject to) the terms of|Licensed to the",
    re.IGNORECASE,
)
_FORMAT_FIELD = re.compile(r"%[-#0 +]*\d*[diouxXeEfFgGcrs]\b|\{\w*\}|\{\{|\\[^'\"\\]")
_STRING_PREFIX = re.compile(r"[a-zA-Z@$]*#*(\"\"\"|'''|\"|'|`)")


def comment_regions(language_id: str, text: str) -> Iterator[Region]:
    """Find the paragraphs of comments and docstrings, in order."""
    query = comments_query(language_id)
    if query is None or not has_grammar(language_id):
        return
    found = captures(language_id, text, query)
    comments = [span for name, span in found if name == "comment"]
    for block in _blocks(text, comments):
        lines = [line for comment in block for line in _content_lines(text, comment)]
        if _LICENCE.search(text, block[0].start, block[-1].end):
            continue
        yield from _regions(language_id, text, RegionKind.COMMENT, lines)
    for name, span in found:
        if name == "docstring":
            yield from _regions(language_id, text, RegionKind.DOCSTRING, split_lines(text, span))


def string_regions(language_id: str, text: str) -> Iterator[Region]:
    """Find the strings that a user may see: three words and more, no format fields, no code."""
    query = strings_query(language_id)
    if query is None or not has_grammar(language_id):
        return
    found = captures(language_id, text, query)
    code = [span for name, span in found if name == "code"]
    docstrings = {
        (span.start, span.end)
        for name, span in captures(language_id, text, comments_query(language_id) or query)
        if name == "docstring"
    }
    first_code = 0
    for name, span in found:
        if name != "string":
            continue
        inner = _without_quotes(text, span)
        while first_code < len(code) and code[first_code].end <= inner.start:
            first_code += 1
        inside = []
        for other in code[first_code:]:
            if other.start >= inner.end:
                break
            inside.append(other)
        content = text[inner.start : inner.end]
        if (inner.start, inner.end) in docstrings or len(content.split()) < 3:
            continue
        if _FORMAT_FIELD.search(content) and not inside:
            continue
        lines = filled_lines(text, inner)
        region = make_region(text, RegionKind.STRING, lines, protected=inside) if lines else None
        if region is not None:
            yield region


def _regions(
    language_id: str, text: str, kind: RegionKind, lines: Sequence[Span]
) -> Iterator[Region]:
    for paragraph in paragraphs(text, lines):
        if _is_code(language_id, text, paragraph):
            continue
        for stretch in stretches(paragraph.lines):
            region = make_region(text, kind, stretch, protected=paragraph.protected)
            if region is not None:
                yield region


def _blocks(text: str, comments: Sequence[Span]) -> Iterator[list[Span]]:
    """Join comments that stand alone on consecutive lines, in the same column."""
    block: list[Span] = []
    for comment in comments:
        comment = Span(
            start=comment.start,
            end=comment.start + len(text[comment.start : comment.end].rstrip()),
        )
        if block and not _goes_on(text, block[-1], comment):
            yield block
            block = []
        block.append(comment)
    if block:
        yield block


def _goes_on(text: str, last: Span, comment: Span) -> bool:
    between = text[last.end : comment.start]
    if between.strip() or between.replace("\r\n", "\n").replace("\r", "\n").count("\n") != 1:
        return False
    alone = not text[last.start - column(text, last.start) : last.start].strip()
    one_liner = not text.startswith(("/*", "<!--", "--[["), comment.start)
    return alone and one_liner and column(text, last.start) == column(text, comment.start)


def _content_lines(text: str, comment: Span) -> list[Span]:
    """Cut a comment into lines, without what marks it as one."""
    start, end, starred = comment.start, comment.end, False
    for opening, closing in _MARKS:
        mark = opening.match(text, start, end)
        if mark is None:
            continue
        start = mark.end()
        if closing is not None:
            closed = closing.search(text[start:end])
            end = end if closed is None else start + closed.start()
            starred = text.startswith("/*", comment.start)
        break
    lines = split_lines(text, Span(start=start, end=max(start, end)))
    if not starred:
        return lines
    return lines[:1] + [_without_star(text, line) for line in lines[1:]]


def _without_star(text: str, line: Span) -> Span:
    star = _STAR.match(text, line.start, line.end)
    return line if star is None else Span(start=star.end(), end=line.end)


def _without_quotes(text: str, span: Span) -> Span:
    opening = _STRING_PREFIX.match(text, span.start, span.end)
    if opening is None:
        return span
    start, end = opening.end(), span.end
    while end > start and text[end - 1] == "#":  # a raw string of Rust
        end -= 1
    if text.endswith(opening[1], start, end):
        end -= len(opening[1])
    return Span(start=start, end=end)


def _is_code(language_id: str, text: str, paragraph: Paragraph) -> bool:
    """Say whether a paragraph is code that someone commented out."""
    contents = [text[line.start : line.end] for line in paragraph.lines]
    n_code = sum(map(is_code_line, contents))
    if n_code * 2 < len(contents) or not n_code:
        return False
    if n_code == len(contents) > 1 or all(line.endswith((";", "{", "}")) for line in contents):
        return True
    columns = [column(text, line.start) for line in paragraph.lines]
    body = "\n".join(
        " " * (at - min(columns)) + content for at, content in zip(columns, contents, strict=True)
    )
    return parses(language_id, body + "\n") or parses(language_id, body + "\n    pass\n")
