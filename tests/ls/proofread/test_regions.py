"""Where typos may be looked for, language by language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.proofread.queries import comments_query, names_query, strings_query
from dgemma_ls.proofread.regions import Region, find_regions, identifiers_of
from dgemma_ls.syntax import captures, has_grammar
from dgemma_ls.types import Snapshot
from tests.strategies import texts

LANGUAGES = (
    *("plaintext", "markdown", "restructuredtext", "git-commit", "json", "jsonc", "yaml", "toml"),
    *("xml", "html", "python", "javascript", "javascriptreact", "typescript", "typescriptreact"),
    *("go", "rust", "c", "cpp", "java", "csharp", "ruby", "php", "shellscript", "lua", "sql"),
    *("css", "brainfuck"),
)


def snapshot(language_id: str, text: str) -> Snapshot:
    return Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)


def shown(text: str, region: Region) -> str:
    """Give a region with ⟦ ⟧ around what is protected and its kind in front."""
    pieces, position = [], region.span.start
    for span in region.protected:
        pieces += [text[position : span.start], "⟦", text[span.start : span.end], "⟧"]
        position = span.end
    return f"{region.kind.value}: " + "".join(pieces) + text[position : region.span.end]


def check(language_id: str, text: str, *expect: str, strings: bool = False) -> None:
    found = find_regions(snapshot(language_id, text), strings=strings)

    assert [shown(text, region) for region in found] == list(expect)


def test_markdown_is_read_by_blocks() -> None:
    check(
        "markdown",
        "# The title of it\n\nThis is `code` of\nthe [text](http://a.b).\n\n- [ ] one of the\n"
        "  items\n\n> the `quoted\n> text` of it\n\n| the a | is b |\n|---|---|\n| of | `c` |\n\n"
        "```\nthe code of it\n```\n\n    the code of it\n\n<p>the text of it</p>\n\n[a]: http://the.of\n",
        "prose: The title of it",
        "prose: This is ⟦`code`⟧ of\nthe [text⟦](http://a.b)⟧.",
        "prose: one of the\n⟦  ⟧items",
        "prose: the ⟦`quoted\n> text`⟧ of it",
        "prose: the a",
        "prose: is b",
        "prose: of",
    )


def test_of_front_matter_only_what_readers_see_is_read() -> None:
    check(
        "markdown",
        "---\ntitle: The name of the text\nlayout: this is the one\n---\n\nAnd this is the text.\n",
        "value: The name of the text",
        "prose: And this is the text.",
    )


def test_restructuredtext_is_read_by_rules() -> None:
    check(
        "restructuredtext",
        "The title of it\n===============\n\nThis is :func:`code` of the ``text``, as in::\n\n"
        "    the code of it\n\n.. note:: This is the note.\n\n   And the rest of it.\n\n"
        ".. code-block:: python\n   :linenos:\n\n   the = code(of)\n\n.. _target: the of\n\n"
        ":param x: what it is for the\n    caller\n\n>>> the(code)\nthe output of it\n\n"
        "* an item of the list\n* and the other\n",
        "prose: The title of it",
        "prose: This is ⟦:func:`code`⟧ of the ⟦``text``⟧, as in::",
        "prose: ⟦.. note:: ⟧This is the note.",
        "prose: And the rest of it.",
        "prose: ⟦:param x: ⟧what it is for the\n⟦    ⟧caller",
        "prose: ⟦* ⟧an item of the list",
        "prose: ⟦* ⟧and the other",
    )


def test_a_commit_message_ends_where_git_cuts_it_off() -> None:
    check(
        "git-commit",
        "Fix the name of it\n\nThis is the reason.\n# Please enter the message of it\n"
        "Signed-off-by: Ada <a@b.c>\n# ------------------------ >8 ------------------------\n"
        "# the rest of it\ndiff --git a/b b/b\n+the text of it\n",
        "prose: Fix the name of it",
        "prose: This is the reason.",
    )


def test_comments_and_docstrings_of_python() -> None:
    check(
        "python",
        '#!/usr/bin/env python\n# Copyright 2020 of the Ada\n\n"""The text of the module.\n\n'
        'Args:\n    x: what it is for the caller\n"""\n\n# This is the first line\n'
        "# and this is the second.\n#\n# x = the(code)\n# if the:\n#     return x\n"
        'def f(x):\n    """Do what the name says."""\n    y = "this is the text of it"\n'
        "    return y  # noqa: this is the text of it\n",
        "docstring: The text of the module.",
        "docstring: ⟦x: ⟧what it is for the caller",
        "comment: This is the first line\n⟦# ⟧and this is the second.",
        "docstring: Do what the name says.",
    )


def test_strings_are_read_on_request() -> None:
    check(
        "python",
        'x = f"this is the text {of} it"\ny = "the %s of the text"\nz = "two words"\n'
        'w = "that is\\n not it"\n',
        "string: this is the text ⟦{of}⟧ it",
        "string: that ⟦is\\n⟧ not it",
        strings=True,
    )


def test_a_string_within_a_string_is_not_read_twice() -> None:
    check(
        "python",
        "x = f\"this is the {g('and this is the other')} of it\"\n",
        "string: this is the ⟦{g('and this is the other')}⟧ of it",
        strings=True,
    )


def test_a_licence_is_left_out_as_a_whole() -> None:
    check("python", "# Licensed under the Apache License.\n# You may not use it.\n\nx = 1\n")


def test_commented_out_code_is_no_prose() -> None:
    check(
        "python",
        "# This is the text.\n\n# for the in of:\n#     is_it(the)\n",
        "comment: This is the text.",
    )


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("javascript", "/**\n * This is the text\n * of it.\n */\nx;\n"),
        ("typescript", "// This is the text\n// of it.\nx;\n"),
        ("go", "// This is the text\n// of it.\npackage a\n"),
        ("rust", "/// This is the text\n/// of it.\nfn f() {}\n"),
        ("c", "/* This is the text\n * of it.\n */\nint x;\n"),
        ("cpp", "// This is the text\n// of it.\nint x;\n"),
        ("java", "/** This is the text\n * of it. */\nclass A {}\n"),
        ("csharp", "/// This is the text\n/// of it.\nclass A {}\n"),
        ("ruby", "# This is the text\n# of it.\nx = 1\n"),
        ("php", "<?php\n// This is the text\n// of it.\n$x = 1;\n"),
        ("shellscript", "# This is the text\n# of it.\nx=1\n"),
        ("lua", "-- This is the text\n-- of it.\nx = 1\n"),
        ("lua", "--[[ This is the text\nof it. ]]\nx = 1\n"),
        ("sql", "-- This is the text\n-- of it.\nSELECT 1;\n"),
        ("css", "/* This is the text\n   of it. */\na { b: c }\n"),
        ("html", "<!-- This is the text\n  of it. -->\n<p></p>\n"),
        ("xml", "<!-- This is the text\n  of it. -->\n<p></p>\n"),
        ("yaml", "# This is the text\n# of it.\na: 1\n"),
        ("toml", "# This is the text\n# of it.\na = 1\n"),
        ("jsonc", "// This is the text\n// of it.\n{}\n"),
    ],
)
def test_comments_of_every_language_are_one_paragraph(language_id: str, text: str) -> None:
    if not has_grammar(language_id):
        pytest.skip(f"no grammar for {language_id}")
    found = find_regions(snapshot(language_id, text))

    assert len(found) == 1
    words = " ".join(text[span.start : span.end] for span in found[0].free).split()
    assert " ".join(words) == "This is the text of it."


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("json", '{"the key of it": "This is the text of it.", "b": "a/b/c", "c": "one"}'),
        ("yaml", "the key of it: This is the text of it.\nb: a/b/c\nrun: the text of it\n"),
        ("toml", 'a = "This is the text of it."\nb = "a/b/c"\n'),
        ("xml", "<a b='this is the text of'>This is the text of it.</a>"),
        (
            "html",
            "<p title='this is the text of'>This is the text of it.<br><code>the of it</code>",
        ),
    ],
)
def test_of_values_only_those_that_read_like_sentences(language_id: str, text: str) -> None:
    check(language_id, text, "value: This is the text of it.")


def test_a_paragraph_of_html_goes_over_its_inline_tags() -> None:
    check(
        "html",
        "<div><p>This is <b>the</b> text &amp; <code>the code</code> of it</p></div>",
        "value: This is ⟦<b>⟧the⟦</b>⟧ text ⟦&amp;⟧ ⟦<code>the code</code>⟧ of it",
    )


def test_escapes_in_values_are_protected() -> None:
    check("json", '["this is \\"the\\" text"]', 'value: this is ⟦\\"the\\"⟧ text')


def test_paragraphs_of_other_languages_are_left_out_unless_wanted() -> None:
    text = "This is the text.\n\nDas ist nicht der Text und auch nicht die Katze.\n\nA few words\n"
    document = snapshot("markdown", text)

    assert len(find_regions(document)) == 2
    assert len(find_regions(document, any_language=True)) == 3


def test_short_paragraphs_go_with_the_document() -> None:
    assert find_regions(snapshot("plaintext", "Recieve buffer\n")) == ()
    assert len(find_regions(snapshot("plaintext", "Recieve buffer\n\nThis is the text.\n"))) == 2


def test_a_part_of_a_file_that_begins_in_a_docstring_is_read_as_such() -> None:
    check(
        "python",
        'the text of it goes on.\n    """\n    x = f(y)\n\ndef g():\n    """It is the other."""\n',
        "docstring: the text of it goes on.",
        "docstring: It is the other.",
    )


def test_a_part_of_a_file_that_begins_in_a_fence_is_read_as_such() -> None:
    check(
        "markdown",
        "the code of it\n```\n\nThis is the text.\n\n```python\nthe code of it\n```\n",
        "prose: This is the text.",
    )


def test_names_of_a_program_are_known() -> None:
    names = identifiers_of(snapshot("python", "def recieve(bufer):\n    return bufer.lenght\n"))

    assert names == {"recieve", "bufer", "lenght"}
    assert identifiers_of(snapshot("plaintext", "no names")) == frozenset()


@pytest.mark.parametrize("language_id", LANGUAGES)
def test_queries_fit_their_grammars(language_id: str) -> None:
    for query in (comments_query, strings_query, names_query):
        wanted = query(language_id)
        if wanted is not None and has_grammar(language_id):
            assert captures(language_id, "", wanted) == []


prose_texts = st.lists(
    st.sampled_from(
        [
            *(
                "# the text of it",
                "// this is the text",
                "/* the",
                "*/",
                '"""',
                "'''",
                "--[[",
                "]]",
            ),
            *("the text of it", "> the", "- the", "| a | b |", "|---|---|", "```", "---", "a: b"),
            *("    the", "::", ".. note:: the", ">>> the", "<p>the", "</p>", "`the", "é 𝒳 a", ""),
            *("x = 'the text of it'", "{", "}", "def f():", "\t", ":param the: of", "\ud83d the"),
        ]
    ),
    max_size=12,
).flatmap(lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines)))


@given(st.sampled_from(LANGUAGES), prose_texts | texts() | st.text(), st.booleans())
def test_regions_are_right_in_any_text(language_id: str, text: str, strings: bool) -> None:
    document = snapshot(language_id, text)

    found = find_regions(document, strings=strings, any_language=True)

    assert found == find_regions(document, strings=strings, any_language=True)
    end = 0
    for region in found:
        assert end <= region.span.start < region.span.end <= len(text)
        end = position = region.span.start
        for span in region.protected:
            assert position <= span.start < span.end <= region.span.end
            position = span.end + 1
        end = region.span.end
    assert set(find_regions(document, strings=strings)) <= set(found)
    assert isinstance(identifiers_of(document), frozenset)


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("yaml", "- " * 400 + "this is the text of it\n"),
        ("json", "[" * 50_000),
        ("html", "<!--" * 10_000),
        ("markdown", "> " * 10_000 + "this is the text\n"),
    ],
)
def test_documents_that_no_one_wrote_do_no_harm(language_id: str, text: str) -> None:
    assert find_regions(snapshot(language_id, text)) == ()
