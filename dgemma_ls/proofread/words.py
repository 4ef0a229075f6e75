"""The words of a region, and what stands between them.

A token that touches what only code has (an underscore, a slash, a digit, a capital in the middle)
is no word, whatever its letters: it becomes a mark that words around it see, and nothing corrects.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dgemma_engine.types import Span
from dgemma_ls.proofread.types import Region


class TokenKind(enum.Enum):
    """What a token is."""

    WORD = "word"
    BREAK = "break"
    """Punctuation: sentences and clauses end here."""
    CODE = "code"
    """Protected text, a name, a number: something stands here, but nothing to correct."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: what it is.
        text: of a word as it stands, of others a mark.
        span: code points of the document.
        starts_sentence: whether a capital letter here says nothing.
    """

    kind: TokenKind
    text: str
    span: Span
    starts_sentence: bool = False

    @property
    def is_word(self) -> bool:
        """Whether it is a word."""
        return self.kind is TokenKind.WORD


_PIECE = re.compile(r"\S+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Between two word pieces inside one run of non-blanks, these are punctuation, all else is code.
_JOINTS = frozenset('-–—/,;:!?()"“”‘’…*|&')
_CODE_CHARS = re.compile(r"[_\\@=$<>{}\[\]^~%+#`]|\d|://|\.\w|\(\)|/\w*/|::")
_COMMENT_PREFIX = re.compile(r"[#/*>;!|\-\s]*")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}")
_SENTENCE_END = re.compile(r"[.!?:]")


def tokens_of(text: str, region: Region) -> list[Token]:
    """Cut a region into tokens, in order.

    Args:
        text: of the whole document.
        region: a part of it.
    """
    found: list[Token] = []
    place, starts = region.span.start, True
    for protected in (*region.protected, Span(start=region.span.end, end=region.span.end)):
        if protected.start > place:
            for token in _plain(text, place, protected.start, starts=starts):
                found.append(token)
                starts = token.kind is TokenKind.BREAK and bool(_SENTENCE_END.search(token.text))
        prefix = text[protected.start : protected.end]
        # The marks at a line's start are protected too, and say nothing.
        if not _COMMENT_PREFIX.fullmatch(prefix):
            found.append(Token(TokenKind.CODE, "#", protected))
            starts = False
        place = max(place, protected.end)
    return _marked_glued(text, found)


def _marked_glued(text: str, tokens: list[Token]) -> list[Token]:
    """Make words that touch protected text part of it: ``pre`` in ``pre`x```."""
    kept: list[Token] = []
    for idx, token in enumerate(tokens):
        glued = token.is_word and any(
            tokens[near].kind is TokenKind.CODE
            and (
                tokens[near].span.end == token.span.start
                or tokens[near].span.start == token.span.end
            )
            for near in (idx - 1, idx + 1)
            if 0 <= near < len(tokens)
        )
        kept.append(Token(TokenKind.CODE, "#", token.span) if glued else token)
    return kept


def _plain(text: str, start: int, end: int, *, starts: bool) -> Iterator[Token]:
    for piece in _PIECE.finditer(text, start, end):
        for token in _of_piece(piece[0], piece.start(), starts=starts):
            yield token
            starts = token.kind is TokenKind.BREAK and bool(_SENTENCE_END.search(token.text))


def _of_piece(piece: str, start: int, *, starts: bool) -> Iterator[Token]:
    core = piece.strip("*\"'“”‘’(),;:!?.…")
    if "()" in piece:  # a call
        core = piece
    if _CODE_CHARS.search(core) or (
        core.count("/") and not core.strip("/").replace("/", "").isalpha()
    ):
        yield Token(TokenKind.CODE, "#", Span(start=start, end=start + len(piece)))
        if piece[-1] in ".!?:,;":
            at = start + len(piece)
            yield Token(TokenKind.BREAK, piece[-1], Span(start=at - 1, end=at))
        return
    place = 0
    for word in _WORD.finditer(piece):
        if word.start() > place:
            yield from _between(piece[place : word.start()], start + place)
        span = Span(start=start + word.start(), end=start + word.end())
        if _CAMEL.search(word[0]):
            yield Token(TokenKind.CODE, "#", span)
        else:
            yield Token(TokenKind.WORD, word[0], span, starts)
        starts = False
        place = word.end()
    if place < len(piece):
        yield from _between(piece[place:], start + place)


def _between(joint: str, start: int) -> Iterator[Token]:
    span = Span(start=start, end=start + len(joint))
    if joint == "*" or joint == "**":  # emphasis
        return
    yield Token(TokenKind.BREAK, joint, span)
