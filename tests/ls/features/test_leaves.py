"""Filling inside one text of a structured document: escapes in place, the tree as it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgemma_engine.types import (
    CancelToken,
    Candidate,
    InfillResult,
    JointResult,
    Span,
    SpanCheck,
    StopReason,
)
from dgemma_ls.features import fill, inline, rewrite
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.leaves import leaf_gap
from dgemma_ls.proofread.formats import read_structure
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from tests.ls.proofread.documents import FORMATS, judge

PROPOSED = (
    *(
        '"',
        "\\",
        '", "b": "',
        "\\n",
        'say "no"',
        "C:\\new",
        "it's",
        "'",
        "'''",
        '"""',
        "\n",
        "a\nb",
    ),
    *(
        "<",
        "&",
        "&amp;",
        "</a>",
        "<b>x</b>",
        "]]>",
        "a: b",
        " # c",
        "#",
        "no",
        "1.5",
        "- x",
        "[",
        "{",
    ),
    *(
        " the text ",
        "é",
        "𝒳",
        "x",
        "",
        "\t",
        "|",
        ">",
        "%",
        "@",
        "*a",
        "\u2028",
        "\x00",
        "\r\n",
        " ",
    ),
)
proposals = st.lists(st.sampled_from(PROPOSED), min_size=1, max_size=4).map("".join)


@dataclass
class Engine:
    """Proposes texts that a test gives, and keeps what it was asked; as the real one does, it
    shows only what the check lets pass."""

    texts: Sequence[str]
    max_span_tokens: int = 60
    context_tokens: int = 400
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    multiline: bool = False
    bad: dict[str, tuple[Span, ...]] = field(default_factory=dict)

    @property
    def tokenizer(self) -> "Engine":
        return self

    def encode(self, text: str) -> list[int]:
        return list(range(len(text.split())))

    def infill(
        self,
        prefix: str,
        suffix: str,
        *,
        context: str = "",
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        steps: int = 8,
        seed: int = 0,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        self.multiline = multiline
        return self._result(prefix, "", suffix, check)

    def rewrite(
        self,
        prefix: str,
        text: str,
        suffix: str,
        *,
        context: str = "",
        instruction: str = "",
        strength: float = 0.5,
        max_changed: int | None = None,
        n_candidates: int = 3,
        seed: int = 0,
        check: SpanCheck | None = None,
        cancel: CancelToken | None = None,
    ) -> InfillResult:
        return self._result(prefix, text, suffix, check)

    def infill_jointly(
        self,
        text: str,
        spans: Sequence[Span],
        *,
        context: str = "",
        multiline: bool = False,
        n_candidates: int = 3,
        seed: int = 0,
        accept: Callable[[tuple[str, ...]], bool] | None = None,
        cancel: CancelToken | None = None,
    ) -> JointResult:
        raise NotImplementedError

    def _result(self, prefix: str, text: str, suffix: str, check: SpanCheck | None) -> InfillResult:
        assert check is not None
        self.asked.append((prefix, text, suffix))
        self.bad = {one: check.bad_spans(one) for one in self.texts}
        shown = [one for one, bad in self.bad.items() if not bad]
        return InfillResult(
            candidates=tuple(
                Candidate(text=one, score=0.0, forwards=1, n_tokens=1) for one in shown
            ),
            stop=StopReason.STABLE,
            forwards=1,
            milliseconds=0.0,
            n_refused=len(self.bad) - len(shown),
        )


def snapshot(language_id: str, text: str) -> Snapshot:
    return Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)


def suggest(
    language_id: str, marked: str, *texts: str, multiline: bool = False
) -> tuple[list[str] | RefusalReason, Engine]:
    """Give the documents that the suggestions at ║ lead to."""
    before, _, after = marked.partition("║")
    document = snapshot(language_id, before + after)
    place = inline.place_at(document, len(before))
    assert isinstance(place, inline.Place)
    engine = Engine(texts)
    answer = inline.ask(engine, document, place, multiline=multiline, limit=9)
    if isinstance(answer, Refusal):
        return answer.reason, engine
    return [one.edit.apply(document) for one in answer.suggestions], engine


def rewritten(
    language_id: str, marked: str, *texts: str
) -> tuple[list[str] | RefusalReason, Engine]:
    """Give the documents that rewriting what stands between ├ and ┤ leads to."""
    start, end = marked.index("├"), marked.index("┤") - 1
    document = snapshot(language_id, marked.replace("├", "").replace("┤", ""))
    request = rewrite.prepare(document, Span(start=start, end=end), rewrite.Wish())
    check = GateCheck(document, request.span)
    engine = Engine(texts)
    result = rewrite.ask(engine, request, check=check, n_candidates=9)
    outcome = rewrite.finish(document, request, result, check=check)
    if isinstance(outcome, Refusal):
        return outcome.reason, engine
    return [one.edit.apply(document) for one in outcome], engine


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
    before, _, after = marked.partition("║")

    assert (
        leaf_gap(snapshot("json", before + after), Span(start=len(before), end=len(before))) is None
    )
    _, engine = suggest("json", marked, "x")
    assert engine.asked[0][0] == before


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


def fill_documents(language_id: str, n_documents: int) -> int:
    """Fill at random places of random texts; give the number of suggestions that were shown."""
    documents, read = FORMATS[language_id]
    n_shown = 0

    @settings(
        max_examples=n_documents,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(documents, st.lists(proposals, min_size=1, max_size=4), st.booleans(), st.data())
    def run(text: str, texts: list[str], multiline: bool, choose: st.DataObject) -> None:
        nonlocal n_shown
        document = snapshot(language_id, text)
        structure = read_structure(language_id, text)
        if structure is None:
            return
        for leaf in structure.leaves:
            at = choose.draw(st.integers(leaf.span.start, leaf.span.end))
            end = choose.draw(st.integers(at, leaf.span.end))
            if leaf_gap(document, Span(start=at, end=at)) is not None:
                place = inline.place_at(document, at)
                assert isinstance(place, inline.Place)
                engine = Engine(texts)
                answer = inline.ask(engine, document, place, multiline=multiline, limit=9)
                if not isinstance(answer, Refusal):
                    for one in answer.suggestions:
                        n_shown += 1
                        assert one.edit.span == Span(start=at, end=at)
                        judge(language_id, read, document, one.edit)
            if leaf_gap(document, Span(start=at, end=end)) and text[at:end].strip():
                request = rewrite.prepare(document, Span(start=at, end=end), rewrite.Wish())
                check = GateCheck(document, request.span)
                result = rewrite.ask(Engine(texts), request, check=check, n_candidates=9)
                outcome = rewrite.finish(document, request, result, check=check)
                for proposal in [] if isinstance(outcome, Refusal) else outcome:
                    n_shown += 1
                    judge(language_id, read, document, proposal.edit)

    run()
    return n_shown


@pytest.mark.parametrize("language_id", ["json", "yaml", "toml", "xml"])
def test_whatever_is_proposed_changes_one_text_and_nothing_of_the_tree(language_id: str) -> None:
    assert fill_documents(language_id, 40) > 30


@pytest.mark.slow
@pytest.mark.parametrize("language_id", ["json", "yaml", "toml", "xml"])
def test_in_thousands_of_places_too(language_id: str) -> None:
    assert fill_documents(language_id, 400) > 500
