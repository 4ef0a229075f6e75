"""Filling inside one text of a structured document: escapes in place, the tree as it was."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from dgemma_engine.types import InfillResult, Span, SpanCheck
from dgemma_ls.features import fill, inline, rewrite
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.inline_place import Place, place_at
from dgemma_ls.features.leaves import leaf_gap
from dgemma_ls.proofread.formats import Leaf
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from tests.engines import Asked, StandIn, result
from tests.ls.proofread.documents import edits_that_pass
from tests.marks import unmarked

PROPOSED = (
    *('"', "\\", '", "b": "', "\\n", 'say "no"', "C:\\new", "it's", "'", "'''", '"""'),
    *("\n", "a\nb", "<", "&", "&amp;", "</a>", "<b>x</b>", "]]>", "a: b", " # c", "#", "no", "1.5"),
    *("- x", "[", "{", " the text ", "é", "𝒳", "x", "", "\t", "|", ">", "%", "@", "*a"),
    *("\u2028", "\x00", "\r\n", " "),
)
proposals = st.lists(
    st.lists(st.sampled_from(PROPOSED), min_size=1, max_size=4).map("".join), min_size=1, max_size=4
)


class Engine(StandIn):
    """Proposes texts that a test gives, and keeps what it was asked; as the real one does, it
    shows only what the check lets pass."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.asked: list[tuple[str, str, str]] = []
        self.multiline = False
        self.bad: dict[str, tuple[Span, ...]] = {}

    def fill(self, asked: Asked) -> InfillResult:
        self.multiline = asked.multiline
        return self._shown(asked.prefix, "", asked.suffix, asked.check)

    def rewrite(
        self, prefix: str, text: str, suffix: str, *, check: SpanCheck | None, **options: Any
    ) -> InfillResult:
        return self._shown(prefix, text, suffix, check)

    def _shown(self, prefix: str, text: str, suffix: str, check: SpanCheck | None) -> InfillResult:
        assert check is not None
        self.asked.append((prefix, text, suffix))
        self.bad = {one: check.bad_spans(one) for one in self.texts}
        shown = [one for one, bad in self.bad.items() if not bad]
        return replace(result(*shown), n_refused=len(self.bad) - len(shown))


def snapshot(language_id: str, text: str) -> Snapshot:
    return Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)


def suggestions(
    engine: Engine, document: Snapshot, offset: int, *, multiline: bool = False
) -> list[Edit] | RefusalReason:
    place = place_at(document, offset)
    assert isinstance(place, Place)
    answer = inline.ask(engine, document, place, multiline=multiline, limit=9)
    if isinstance(answer, Refusal):
        return answer.reason
    return [one.edit for one in answer.suggestions]


def rewrites(engine: Engine, document: Snapshot, span: Span) -> list[Edit] | RefusalReason:
    request = rewrite.prepare(document, span, rewrite.Wish())
    check = GateCheck(document, request.span)
    result = rewrite.ask(engine, request, check=check, n_candidates=9)
    outcome = rewrite.finish(document, request, result, check=check)
    if isinstance(outcome, Refusal):
        return outcome.reason
    return [one.edit for one in outcome]


def suggest(
    language_id: str, marked: str, *texts: str, multiline: bool = False
) -> tuple[list[str] | RefusalReason, Engine]:
    """Give the documents that the suggestions at ║ lead to."""
    text, span = unmarked(marked)
    document, engine = snapshot(language_id, text), Engine(texts)
    return applied(document, suggestions(engine, document, span.start, multiline=multiline)), engine


def rewritten(
    language_id: str, marked: str, *texts: str
) -> tuple[list[str] | RefusalReason, Engine]:
    """Give the documents that rewriting what stands between ├ and ┤ leads to."""
    text, span = unmarked(marked)
    document, engine = snapshot(language_id, text), Engine(texts)
    return applied(document, rewrites(engine, document, span)), engine


def applied(document: Snapshot, edits: list[Edit] | RefusalReason) -> list[str] | RefusalReason:
    if isinstance(edits, RefusalReason):
        return edits
    return [edit.apply(document) for edit in edits]


@pytest.mark.parametrize(
    ("language_id", "marked", "text", "expect"),
    [
        ("json", '{"a": "║"}', "the text", '{"a": "the text"}'),
        (
            "json",
            '{"a": "say \\"yes\\" or ║"}',
            'say "no"',
            '{"a": "say \\"yes\\" or say \\"no\\""}',
        ),
        ("json", '{"a": "C:\\\\║", "b": 1}', "x\\y", '{"a": "C:\\\\x\\\\y", "b": 1}'),
        ("json", '{"a": "\\u00e9 ║"}', "ü", '{"a": "\\u00e9 \\u00fc"}'),
        ("jsonc", '{"a": "║",} // b\n', "c", '{"a": "c",} // b\n'),
        ("yaml", "a: 'it║'\n", "'s so", "a: 'it''s so'\n"),
        ("yaml", 'a: "║"\n', "b: c # d", 'a: "b: c # d"\n'),
        ("yaml", "a: the║\nb: c\n", " end ", "a: the end\nb: c\n"),
        ("yaml", "a: |\n  b║\nc: d\n", " # e", "a: |\n  b # e\nc: d\n"),
        ("toml", 'a = "║"\n', "b", 'a = "b"\n'),
        ("toml", "a = 'C:\\║'\n", "x\\y", "a = 'C:\\x\\y'\n"),
        ("xml", "<a>x &amp; ║</a>", "y & z", "<a>x &amp; y &amp; z</a>"),
        ("xml", "<a><![CDATA[x ║]]></a>", "<y>", "<a><![CDATA[x <y>]]></a>"),
    ],
)
def test_a_text_at_the_cursor_is_written_as_the_one_around_it(
    language_id: str, marked: str, text: str, expect: str
) -> None:
    assert suggest(language_id, marked, text)[0] == [expect]


@pytest.mark.parametrize(
    ("language_id", "marked", "text", "bad"),
    [
        ("json", '{"a": "x║"}', '", "b": "', [(0, 1), (3, 4), (5, 6), (8, 9)]),
        ("json", '{"a": "x║"}', "\\n", [(0, 1)]),
        ("json", '{"a": "\\"x\\" ║"}', 'y" z', [(1, 2)]),
        ("yaml", "a: x║\n", " # b", [(1, 2)]),
        ("yaml", "a: x║\n", ": b", [(0, 1)]),
        ("yaml", "- '║'\n", "x' b", [(1, 2)]),
        ("toml", "a = '║'\n", "it's", [(2, 3)]),
        ("yaml", "a: x║\n", "\ty", [(0, 1)]),
        ("xml", "<a>x║</a>", "y</a><b>", [(1, 2), (5, 6)]),
        ("xml", "<a><![CDATA[x║]]></a>", "y]]>z", [(1, 4)]),
    ],
)
def test_what_would_end_the_text_is_shown_to_the_engine_and_to_nobody_else(
    language_id: str, marked: str, text: str, bad: list[tuple[int, int]]
) -> None:
    outcome, engine = suggest(language_id, marked, text)

    assert outcome is RefusalReason.NOT_EXPRESSIBLE
    assert [(span.start, span.end) for span in engine.bad[text]] == bad


def test_what_closes_the_text_again_is_cut_off() -> None:
    assert suggest("json", '{"a": "x║"}', ' y"')[0] == ['{"a": "x y"}']
    assert suggest("xml", "<a>x║</a>", " y</a>")[0] == ["<a>x y</a>"]


def test_the_engine_reads_what_texts_mean_and_the_file_as_it_is() -> None:
    _, engine = suggest("json", '{\n  "x": "a\\tb",\n  "y": "say \\"║\\""\n}\n', "z")

    assert engine.asked == [('{\n  "x": "a\tb",\n  "y": "say "', "", '""\n}\n')]


def test_folds_and_indentation_are_read_as_they_stand() -> None:
    _, engine = suggest("yaml", "a: >\n    one ║two\n    three\nb: 'it''s'\n", "x")

    assert engine.asked == [("a: >\n    one ", "", "two\n    three\nb: 'it's'\n")]


def test_several_lines_are_indented_as_their_block_is() -> None:
    outcome, engine = suggest("yaml", "a: |\n    b║\nc: d\n", "\n    x\n    y", multiline=True)

    assert engine.multiline
    assert outcome == ["a: |\n    b\n    x\n    y\nc: d\n"]
    outcome, engine = suggest("json", '{"a": "b║"}', "x\ny", multiline=True)
    assert not engine.multiline
    assert outcome is RefusalReason.NOT_EXPRESSIBLE


@pytest.mark.parametrize("marked", ['{"a║": 1}', '{"a": 1║}', '{"a": "\\║n"}', '{"a": "║'])
def test_elsewhere_all_is_as_it_was(marked: str) -> None:
    text, span = unmarked(marked)

    assert leaf_gap(snapshot("json", text), span) is None
    _, engine = suggest("json", marked, "x")
    assert engine.asked[0][0] == text[: span.start]


@pytest.mark.parametrize(
    ("language_id", "marked", "asked", "text", "expect"),
    [
        ("json", '{"a": "x ├\\"b\\" c┤"}', '"b" c', '"b" d', '{"a": "x \\"b\\" d"}'),
        ("yaml", "a: '├it''s┤'\n", "it's", "that's", "a: 'that''s'\n"),
        ("toml", 'a = "├b\\tc┤"\n', "b\tc", "b\td", 'a = "b\\td"\n'),
        ("xml", "<a>├x &amp; y┤</a>", "x & y", "z & y", "<a>z &amp; y</a>"),
        ("yaml", "a: >-\n  ├one\n  two┤\n", "one two", "one six", "a: >-\n  one\n  six\n"),
    ],
)
def test_a_selection_is_rewritten_as_plain_text(
    language_id: str, marked: str, asked: str, text: str, expect: str
) -> None:
    outcome, engine = rewritten(language_id, marked, text)

    assert engine.asked[0][1] == asked
    assert outcome == [expect]


def test_a_known_gap_is_filled_as_plain_text_too() -> None:
    document = snapshot("json", '{"a": "say \\"\\""}')
    span = Span(start=13, end=13)
    check = GateCheck(document, span)
    request = fill.prepare(document, span, check=check)

    assert (request.prefix, request.suffix) == ('{"a": "say "', '""}')
    edit = check.verdict("C:\\ yes")
    assert isinstance(edit, Refusal)
    edit = check.verdict('"yes"')
    assert isinstance(edit, Edit)
    assert edit.apply(document) == '{"a": "say \\"\\"yes\\"\\""}'


def filled(document: Snapshot, leaf: Leaf, texts: list[str], choose: st.DataObject) -> list[Edit]:
    """Fill at a place in a text, and rewrite what stands from there on; give what is shown."""
    at = choose.draw(st.integers(leaf.span.start, leaf.span.end))
    end = choose.draw(st.integers(at, leaf.span.end))
    here, span = Span(start=at, end=at), Span(start=at, end=end)
    shown: list[Edit] = []
    if leaf_gap(document, here) is not None:
        multiline = choose.draw(st.booleans())
        found = suggestions(Engine(texts), document, at, multiline=multiline)
        if not isinstance(found, RefusalReason):
            assert all(edit.span == here for edit in found)
            shown += found
    if leaf_gap(document, span) is not None and document.text[at:end].strip():
        found = rewrites(Engine(texts), document, span)
        shown += [] if isinstance(found, RefusalReason) else found
    return shown


@pytest.mark.parametrize("language_id", ["json", "yaml", "toml", "xml"])
def test_whatever_is_proposed_changes_one_text_and_nothing_of_the_tree(language_id: str) -> None:
    assert edits_that_pass(language_id, 40, proposals, filled) > 30


@pytest.mark.slow
@pytest.mark.parametrize("language_id", ["json", "yaml", "toml", "xml"])
def test_in_thousands_of_places_too(language_id: str) -> None:
    assert edits_that_pass(language_id, 400, proposals, filled) > 500
