from dgemma_engine.types import Origin
from dgemma_ls.features.popup import describe, label


def test_a_label_is_one_short_line_that_begins_with_the_begun_word() -> None:
    assert label("pri", "nt(1)") == "print(1)"
    assert label("", "  if x:\n    y\n") == "if x:…"
    assert len(label("", "a" * 100)) == 60


def test_the_description_shows_the_change_and_where_it_comes_from() -> None:
    assert describe("x = ", "x = 1", Origin.COPIED) == (
        "```diff\n- x = \n+ x = 1\n```\n\nCopied from elsewhere in this document."
    )


def test_code_with_a_fence_in_it_does_not_end_the_description() -> None:
    described = describe("", "a\n````\nb", Origin.DENOISED)

    assert described.startswith("`````diff\n")
    assert described.count("`````") == 2
