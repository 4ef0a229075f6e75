"""What a rule of English settles: "a" and "an". More rules are data of ``confusions``."""

import re

from dgemma_ls.proofread.lexicon import Lexicon
from dgemma_ls.proofread.passages import Document
from dgemma_ls.proofread.proposals import Kind, Proposal, cased_like

_SILENT_H = re.compile(r"(?:hour|honest|honou?r|heir)")
_CONSONANT_SOUND = re.compile(
    r"(?:eu|ew|one(?:$|-|s|d)|once|oui|u(?:ni(?!n|m)|[bcfhkrst][aeiou]|sual|til))"
)
_VOWEL_AFTER_ALL = re.compile(r"(?:uninten|unin|unim|unid|utter|under|until)")


def articles(document: Document, lexicon: Lexicon) -> list[Proposal]:
    """Propose "an" before vowel sounds and "a" before others, where words are plain ones."""
    found = []
    for number, passage in enumerate(document.passages):
        for idx, (article, noun) in enumerate(
            zip(passage.tokens, passage.tokens[1:], strict=False)
        ):
            if article.text not in ("a", "an", "A", "An") or not (article.is_word and noun.is_word):
                continue
            gap = document.snapshot.text[article.span.end : noun.span.start]
            # A capital inside a sentence may be spelt out, and a short word may be a letter.
            if gap.strip() or noun.text != noun.text.lower() or len(noun.text) < 3:
                continue
            if not lexicon.knows(noun.text):
                continue
            right = "an" if begins_with_vowel_sound(noun.text) else "a"
            if article.text.lower() != right:
                found.append(
                    Proposal(
                        kind=Kind.GRAMMAR,
                        span=article.span,
                        new_text=cased_like(right, article.text),
                        place=(number, idx, idx + 1),
                        features={
                            "article": 1.0,
                            "article_an": float(right == "an"),
                            "zipf": lexicon.zipf(noun.text),
                        },
                    )
                )
    return found


def begins_with_vowel_sound(word: str) -> bool:
    """Say whether "an" goes before a lowercase word."""
    if _SILENT_H.match(word):
        return True
    if _CONSONANT_SOUND.match(word) and not _VOWEL_AFTER_ALL.match(word):
        return False
    return word[0] in "aeiou"
