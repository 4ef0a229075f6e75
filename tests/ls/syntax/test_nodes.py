"""Nodes by query."""

import pytest

from dgemma_ls.syntax import matches


def test_a_query_gives_the_code_points_of_each_match_in_document_order() -> None:
    text = "s = '𝒳'\rdef é(a): pass\ndef g(b): (\n"
    found = matches("python", text, "(function_definition name: (_) @name) @def (string) @s")
    cut = [{key: text[span.start : span.end] for key, span in match.items()} for match in found]
    assert cut[:2] == [{"s": "'𝒳'"}, {"name": "é", "def": "def é(a): pass"}]


def test_a_match_that_is_complete_late_still_stands_where_it_begins() -> None:
    text = "class C:\n    def f(self): pass\n    x = 1\n"
    query = "(class_definition body: (block (expression_statement))) @c (function_definition) @f"
    assert [list(match) for match in matches("python", text, query)] == [["c"], ["f"]]


def test_a_query_needs_a_grammar_and_must_be_one() -> None:
    with pytest.raises(ValueError, match="plaintext"):
        matches("plaintext", "", "(_) @a")
    with pytest.raises(ValueError, match="nosuchnode"):
        matches("python", "", "(nosuchnode) @a")
