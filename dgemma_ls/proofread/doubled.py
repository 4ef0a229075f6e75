"""Words that stand twice: "the the". Across line ends too, where most people overlook them."""

import re

from dgemma_engine.types import Span
from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Kind, Proposal

# Doubled on purpose more often than not.
_ON_PURPOSE = frozenset(
    {
        "had",
        "that",
        "very",
        "many",
        "much",
        "really",
        "so",
        "no",
        "yes",
        "bye",
        "far",
        "long",
        "way",
    }
    | {"ha", "blah", "foo", "bar", "baz", "tut", "knock"}
)
_BETWEEN = re.compile(r"[ \t]+|[ \t]*\r?\n[ \t]*(?:(?:#|//|\*|>|--|;|%)+[ \t]*)?")
_QUOTES = tuple("\"'“‘`")
_SAME_LINE = re.compile(r"[ \t]+")


def doubled_words(document: Document, lexicon: Lexicon) -> list[Proposal]:
    """Propose to strike the second of two equal words.

    Args:
        document: where to look.
        lexicon: names that are no words may well be doubled.
    """
    text = document.snapshot.text
    found = []
    for number, passage in enumerate(document.passages):
        tokens = passage.tokens
        for idx in range(1, len(tokens)):
            first, second = tokens[idx - 1], tokens[idx]
            if not (first.is_word and second.is_word):
                continue
            word = second.text.lower()
            if first.text.lower() != word or (second.text != word and first.text != second.text):
                continue
            between = text[first.span.end : second.span.start]
            if _BETWEEN.fullmatch(between) is None or not lexicon.knows(word):
                continue
            if word in _ON_PURPOSE or (len(word) == 1 and word not in "ai"):
                continue
            trebled = (idx > 1 and tokens[idx - 2].text.lower() == word) or (
                idx + 1 < len(tokens) and tokens[idx + 1].text.lower() == word
            )
            quoted = text[max(0, first.span.start - 1) : first.span.start] in _QUOTES
            if trebled or quoted:  # "chop chop chop" is meant, and so is what is spoken of
                continue
            found.append(
                Proposal(
                    kind=Kind.DOUBLED,
                    span=_struck(text, first.span, second.span),
                    new_text="",
                    place=(number, idx, idx + 1),
                    features={
                        "capital": float(second.text != word),
                        "across_lines": float(_SAME_LINE.fullmatch(between) is None),
                        "zipf": lexicon.zipf(word),
                        "in_sentence": float(len(tokens) > 6),
                    },
                )
            )
    return found


def _struck(text: str, first: Span, second: Span) -> Span:
    """Take the blanks before the word along, or those after it where it begins a line."""
    if _SAME_LINE.fullmatch(text[first.end : second.start]):
        return Span(start=first.end, end=second.end)
    after = _SAME_LINE.match(text, second.end)
    return Span(start=second.start, end=second.end if after is None else after.end())
