"""Each detector claims its kind of thing and lets prose alone; marks ├ ┤ stand around a claim."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.proofread.protected import DETECTORS, find_protected, merged
from dgemma_ls.proofread.protected.lines import directives, licence_lines
from dgemma_ls.proofread.protected.markup import (
    entities,
    inline_code,
    link_targets,
    maths,
    placeholders,
    roles_and_references,
    tags,
)
from dgemma_ls.proofread.protected.mentions import quoted_mentions
from dgemma_ls.proofread.protected.names import names_in_sentences
from dgemma_ls.proofread.protected.places import emails, handles, paths, urls
from dgemma_ls.proofread.protected.words import (
    flags,
    foreign_scripts,
    identifiers,
    numbers,
    shouted_words,
    versions,
)

Detector = Callable[[str], Iterable[tuple[int, int]]]


def check(detect: Detector, marked: str) -> None:
    text = marked.replace("├", "").replace("┤", "")
    pieces, position = [], 0
    for start, end in merged(detect(text)):
        pieces += [text[position:start], "├", text[start:end], "┤"]
        position = end
    pieces.append(text[position:])

    assert "".join(pieces) == marked


@pytest.mark.parametrize(
    ("detect", "marked"),
    [
        (inline_code, "the ├`code`┤ and ├``co`de``┤ of it"),
        (inline_code, "over ├`two\nlines`┤ of it"),
        (inline_code, "a single ` is none"),
        (inline_code, "├`IPython`_┤, isn't it"),
        (inline_code, "GNU's ├`name'┤ of it"),
        (roles_and_references, "see ├:func:`~a.b`┤ and ├`a`:sub:┤ of it"),
        (roles_and_references, "see ├Python_┤ and ├[1]_┤ or ├|name|┤ of it"),
        (roles_and_references, "done ├:tada:┤ of ├{@link Foo}┤"),
        (link_targets, "see [the text├](http://a.b/c┤) of [it├][label]┤"),
        (placeholders, "have ├%s┤ or ├%(name)d┤ or ├{name}┤ or ├{}┤ or ├${x}┤ of ├{{ y }}┤"),
        (placeholders, "100 % of it, 5% more"),
        (tags, "the ├<b>┤text├</b>┤ of ├<your name>┤"),
        (tags, "a < b and b > c"),
        (entities, "a├&nbsp;┤b├&#8211;┤c & d"),
        (maths, "let ├$x + y$┤ be, for $5 or $6"),
        (urls, "see ├https://a.b/c?d=e┤. And ├www.a.org┤, ├example.com/x┤"),
        (emails, "ask ├ada@example.org┤ or ├ada at example dot org┤"),
        (emails, "meet at noon"),
        (handles, "thanks ├@ada┤, see ├#12┤ and ├GH-7┤"),
        (paths, "in ├/usr/bin┤ or ├./a/b┤ or ├src/main.py┤ or ├setup.cfg┤ or ├C:\\x┤"),
        (paths, "The end. Of it"),
        (identifiers, "the ├snake_case┤, ├camelCase┤, ├a.b┤, ├a::b┤ and ├f()┤ of ├x=1┤"),
        (identifiers, "├__init__┤ of it, **bold** and *it*."),
        (identifiers, "see [the guide](http://x.y) of <b>it</b>"),
        (shouted_words, "the ├HTTP┤ and the ├URLs┤ of ├B┤ and I"),
        (numbers, "in ├10ms┤ or ├5 kB┤, ├0xFF┤, ├3x┤, ├2nd┤ and ├deadbeef01┤"),
        (versions, "since ├v1.2.3┤ and ├2.0rc1┤ or ├3.x┤"),
        (flags, "use ├--long-name=x┤ or ├-v┤, well-known"),
        (foreign_scripts, "by ├Erdős┤ and ├Привет┤ of it"),
        (names_in_sentences, "The end of ├Ada┤ was near. She said so."),
        (names_in_sentences, "I think I'm in ├Paris┤"),
        (names_in_sentences, "Getting Started With It"),
        (names_in_sentences, "- Add Add the file of it"),
        (quoted_mentions, 'write ├"teh"┤ and ├\'adn\'┤ of "the whole text of it"'),
        (quoted_mentions, "he said ├„das ist nicht für die Katze“┤ to me"),
        (directives, "├noqa: E501┤\nthe text\n├type: ignore[x]┤"),
        (directives, "├eslint-disable-next-line no-x┤\n├pylint: disable=x┤\n├!/bin/sh┤"),
        (directives, "├-*- coding: utf-8 -*-┤\n├go:generate x┤\n├@ts-ignore┤\n├fmt: off┤"),
        (directives, "├pragma: no cover┤\nwe avoid a pragma here\n├namespace detail┤"),
        (directives, "the format of it is off"),
        (licence_lines, "├SPDX-License-Identifier: MIT┤\nthe text\n├Copyright 2020 Ada┤"),
        (licence_lines, "├Signed-off-by: Ada <a@b.c>┤\n├Closes: 12┤"),
    ],
)
def test_a_detector_claims_its_kind_alone(detect: Detector, marked: str) -> None:
    check(detect, marked)


def test_plain_prose_is_free() -> None:
    text = "This is the plain text of a paragraph, isn't it? It's well-known: nothing is claimed."

    assert find_protected(text) == ()


@given(st.text() | st.text("`_[]()<>{}$%@:/.-\"' \nab01AB&;|*"))
def test_claims_lie_in_any_text_and_are_sorted(text: str) -> None:
    found = find_protected(text)

    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(a[1] < b[0] for a, b in pairwise(found))
    assert all(0 <= a <= b <= len(text) for detect in DETECTORS for a, b in detect(text))
