"""An edit of a structured document changes one text, and nothing of the tree."""

import json
import tomllib

import pytest
import yaml

from dgemma_engine.types import Span
from dgemma_ls.proofread.regions import RegionKind, find_regions
from dgemma_ls.proofread.structured import check_structure, check_together, leaf_edit
from dgemma_ls.proofread.types import Region
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from tests.marks import unmarked


def snapshot(language_id: str, text: str) -> Snapshot:
    return Snapshot(uri="file:///a", version=3, language_id=language_id, text=text)


def check(language_id: str, before: str, new: str, expect: str | RefusalReason) -> None:
    """Marks ├ ┤ stand around what ``new`` replaces; ``expect`` is the whole text or the reason."""
    text, span = unmarked(before)
    document = snapshot(language_id, text)
    edit = Edit(uri="file:///a", version=3, span=span, new_text=new)

    result = check_structure(document, edit)

    assert outcome(document, result) == expect


def check_leaf(language_id: str, before: str, new: str, expect: str | RefusalReason) -> None:
    """Marks ├ ┤ stand around the region that shall mean ``new``."""
    text, span = unmarked(before)
    document = snapshot(language_id, text)
    region = Region(span=span, kind=RegionKind.VALUE, protected=())

    result = leaf_edit(document, region, new)

    assert outcome(document, result) == expect


def outcome(document: Snapshot, result: Edit | Refusal) -> str | RefusalReason:
    return result.reason if isinstance(result, Refusal) else result.apply(document)


@pytest.mark.parametrize(
    ("language_id", "before", "new", "expect"),
    [
        ("json", '{"a": "├teh┤ end"}', "the", '{"a": "the end"}'),
        ("jsonc", '{// ├teh┤\n"a": 1,}', "the", '{// the\n"a": 1,}'),
        ("yaml", "a: ├teh┤ end\n", "the", "a: the end\n"),
        ("yaml", "a: b # ├teh┤\n", "the", "a: b # the\n"),
        ("yaml", "a: >\n  at ├teh┤\n  end\n", "the", "a: >\n  at the\n  end\n"),
        ("toml", "a = '├teh┤ end'\n", "the", "a = 'the end'\n"),
        ("xml", "<a>├teh┤ end</a>", "the", "<a>the end</a>"),
        ("html", "<p>├teh┤ <b>end", "the", "<p>the <b>end"),
        ("markdown", "---\ntitle: ├teh┤ end\n---\n", "the", "---\ntitle: the end\n---\n"),
        ("markdown", "# ├teh┤ `end`\n", "the", "# the `end`\n"),
        ("python", "# ├teh┤ end\nx = 1\n", "the", "# the end\nx = 1\n"),
        ("plaintext", "├teh┤ end", "the", "the end"),
    ],
)
def test_a_word_in_a_text_may_be_changed(
    language_id: str, before: str, new: str, expect: str
) -> None:
    check(language_id, before, new, expect)


@pytest.mark.parametrize(
    ("language_id", "before", "new"),
    [
        ("json", '{"├nmae┤": "x"}', "name"),
        ("json", '{"a": "x├y┤"}', "\\n"),
        ("json", '{"a": ├1┤}', "2"),
        ("json", '{"a": "x├y┤"}', '", "b": "'),
        ("yaml", "├nmae┤: x\n", "name"),
        ("yaml", "a: ├nay┤\n", "no"),
        ("yaml", "a: ├one┤\n", "1e3"),
        ("yaml", "a: x ├y┤\n", "# y"),
        ("yaml", "a: x├y┤\nb: z\n", "\nb: y"),
        ("yaml", "a: ├&x┤ y\n", "&z"),
        ("yaml", "a: x├y┤ z\n", "\ty"),
        ("toml", '├nmae┤ = "x"\n', "name"),
        ("toml", 'a = "x├y┤"\n', "\\t"),
        ("xml", "<a ├nmae┤='x'>y</a>", "name"),
        ("xml", "<a>x├y┤</a>", "&lt;"),
        ("html", "<p>x├y┤</p>", "<br>"),
        ("html", "<p class='├x┤'>y</p>", "z"),
        ("html", "<code>├teh┤</code>", "the"),
        ("markdown", "a [b](├x┤) c\n", "y"),
        ("markdown", "a `├teh┤` c\n", "the"),
        ("markdown", "├teh end┤\n", "# the end"),
        ("markdown", "a ├teh┤ c\n", "`the`"),
        ("markdown", "```├pyhton┤\nx\n```\n", "python"),
        ("markdown", "---\ntitle: ├nay┤\n---\n", "no"),
        ("python", "x = 'it├┤ is'\n", "' + y + '"),
        ("javascript", "/* a ├b┤ c */ x;\n", "*/ y; /*"),
    ],
)
def test_nothing_else_may_be_changed(language_id: str, before: str, new: str) -> None:
    check(language_id, before, new, RefusalReason.CHANGES_STRUCTURE)


@pytest.mark.parametrize(
    ("language_id", "before", "new"),
    [
        ("json", '{"a": "x├y┤"}', '"'),
        ("yaml", "a: x├y┤\n", ": y"),
        ("yaml", "a: 'x├y┤'\n", "it's"),
        ("toml", 'a = "x├y┤"\n', "\\q"),
        ("xml", "<a>x├y┤</a>", "<b>"),
        ("xml", "<a>x├y┤</a>", "&"),
        ("xml", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>x├y┤ &e;</a>", "z"),
    ],
)
def test_what_the_parser_refuses_is_refused(language_id: str, before: str, new: str) -> None:
    check(language_id, before, new, RefusalReason.BREAKS_PARSE)


@pytest.mark.parametrize(
    ("language_id", "before", "new", "expect"),
    [
        ("json", '{"a": "├x \\"y\\"┤"}', 'z "y"\n', '{"a": "z \\"y\\"\\n"}'),
        ("json", '{"a": "├\\u00e9 a┤"}', "é ü", '{"a": "\\u00e9 \\u00fc"}'),
        ("json", '{"a": "├é a┤"}', "é ü", '{"a": "é ü"}'),
        ("json", '{"a": "\\/├x┤"}', "y/", '{"a": "\\/y/"}'),
        ("yaml", "a: '├it''s┤'\n", "it's so", "a: 'it''s so'\n"),
        ("yaml", "a: '├x┤'\n", "y: 'z' # w", "a: 'y: ''z'' # w'\n"),
        ("yaml", 'a: "├x┤"\n', 'y\t"z"', 'a: "y\\t\\"z\\""\n'),
        ("yaml", "a: |\n  ├x y┤\n", "x\nz", "a: |\n  x\n  z\n"),
        (
            "yaml",
            "a: >-\n  ├one two\n  three four┤\n",
            "one two tree four",
            "a: >-\n  one two\n  tree four\n",
        ),
        ("yaml", "- ├x\n  y┤\n", "x yes", "- x\n  yes\n"),
        ("toml", 'a = """\n├x┤"""\n', 'y\n"z"', 'a = """\ny\n\\"z\\""""\n'),
        ("toml", "a = '├x┤'\n", 'y "z" \\', "a = 'y \"z\" \\'\n"),
        ("xml", "<a>├x &amp; y┤</a>", "x & <z>", "<a>x &amp; &lt;z></a>"),
        ("xml", "<a><![CDATA[├x┤]]></a>", "<y> &", "<a><![CDATA[<y> &]]></a>"),
        ("html", "<p>├x &copy; y┤</p>", "x © <z>", "<p>x &copy; &lt;z&gt;</p>"),
        ("markdown", "---\ntitle: ├x┤\n---\n: y\n", "y z", "---\ntitle: y z\n---\n: y\n"),
    ],
)
def test_a_new_text_is_written_in_the_style_of_the_old(
    language_id: str, before: str, new: str, expect: str
) -> None:
    check_leaf(language_id, before, new, expect)


@pytest.mark.parametrize(
    ("language_id", "before", "new"),
    [
        ("yaml", "a: ├x┤\n", "y\nz"),
        ("yaml", "a: 'x ├y┤'\n", "\0"),
        ("toml", "a = '├x┤'\n", "it's"),
        ("toml", "a = '''├x┤'''\n", "'''"),
        ("xml", "<a><![CDATA[├x┤]]></a>", "]]>"),
        ("xml", "<a>├x┤</a>", "\x01"),
        ("xml", "<a>├x<b/>y┤</a>", "z"),
        ("json", '{"├a┤": 1}', "b"),
        ("json", '{"a": "\\u├00e9┤"}', "b"),
        ("python", "x = '├y┤'\n", "z"),
    ],
)
def test_what_the_style_cannot_say_is_refused(language_id: str, before: str, new: str) -> None:
    check_leaf(language_id, before, new, RefusalReason.NOT_EXPRESSIBLE)


@pytest.mark.parametrize(
    "new", ["y: z", "y #z", "no", "1.5", "", "- y", "'y'", "2001-01-01", "y\t"]
)
def test_a_plain_scalar_of_yaml_never_becomes_something_else(new: str) -> None:
    document = snapshot("yaml", "a: x y\nb: c\n")
    region = Region(span=Span(start=3, end=6), kind=RegionKind.VALUE, protected=())

    result = leaf_edit(document, region, new)

    after = document.text if isinstance(result, Refusal) else result.apply(document)
    assert yaml.safe_load(after) in ({"a": "x y", "b": "c"}, {"a": new, "b": "c"})


def test_a_document_that_its_parser_refuses_is_left_alone() -> None:
    check("yaml", "a: *b\nc: ├teh┤\n", "the", RefusalReason.BREAKS_PARSE)


def test_an_edit_of_another_version_is_our_mistake() -> None:
    edit = Edit(uri="file:///a", version=2, span=Span(start=0, end=0), new_text="x")

    with pytest.raises(ValueError, match="version"):
        check_structure(snapshot("json", "{}"), edit)


def test_every_region_of_a_value_can_be_rewritten() -> None:
    text = '{"a": "This is the text of it, isn\'t it?", "b": ["and this is the \\"other\\""]}'
    document = snapshot("json", text)

    for region in find_regions(document):
        result = leaf_edit(document, region, "All new")

        assert isinstance(result, Edit)
        json.loads(result.apply(document))


def test_toml_with_every_kind_of_string_keeps_its_tree() -> None:
    text = 'a.b = "x"\n[t."c d"]\ne = [{ "f" = "g" }, { h = \'i\' }]\nj = """k"""\n'
    document = snapshot("toml", text)
    at = text.index("g")
    region = Region(span=Span(start=at, end=at + 1), kind=RegionKind.VALUE, protected=())

    result = leaf_edit(document, region, 'n "m"')

    assert isinstance(result, Edit)
    assert tomllib.loads(result.apply(document))["t"]["c d"]["e"][0]["f"] == 'n "m"'


def edits_of(document: Snapshot, *changes: tuple[str, str]) -> list[Edit]:
    return [
        Edit(
            uri=document.uri,
            version=document.version,
            span=Span(start=document.text.index(old), end=document.text.index(old) + len(old)),
            new_text=new,
        )
        for old, new in changes
    ]


def test_of_several_edits_those_that_harm_are_left_out() -> None:
    document = snapshot("yaml", "a: teh one\nb: two\nc: the tird, the forth\nd: five\n")
    good = edits_of(document, ("teh", "the"), ("tird", "third"), ("forth", "fourth"))
    bad = edits_of(document, ("two", "no"), ("five", "x: y"))

    assert check_together(document, [*bad, *good]) == tuple(good)
    assert check_together(document, bad) == ()
    assert check_together(document, []) == ()


def test_of_several_edits_in_a_broken_program_the_good_ones_pass() -> None:
    document = snapshot("python", "# teh one\nfoo(\n# an adn\n")
    good = edits_of(document, ("teh", "the"), ("adn", "and"))

    assert set(check_together(document, good)) <= set(good)


def test_edits_that_overlap_are_our_mistake() -> None:
    document = snapshot("plaintext", "one two")

    with pytest.raises(ValueError, match="overlap"):
        check_together(document, edits_of(document, ("one t", "x"), ("two", "y")))
