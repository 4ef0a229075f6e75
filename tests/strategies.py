"""Texts and edits that editors really send and that break naive code."""

from hypothesis import settings
from hypothesis import strategies as st

# How long one example takes depends on who else uses the machine.
settings.register_profile("dgemma", deadline=None)
settings.load_profile("dgemma")

# What breaks offset arithmetic, each alone and beside the others: line ends of all three kinds,
# separators that str.splitlines would take for line ends, characters of 1 to 4 UTF-8 bytes and of
# 1 and 2 UTF-16 units, combining marks, a byte order mark, lone surrogates of both halves.
_AWKWARD = (
    *("\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"),
    *("a", "(", ")", '"', "'", " ", "\t", "é", "€", "𝒳", "👩‍💻", "e\u0301", "\ufeff", "\0"),
    *("\ud83d", "\ude00"),
)

_PYTHON_LINES = (
    "x = 1",
    "def f(a, b):",
    "    return f(a, [b])",
    "    y = {'k': (1, 2)}",
    "",
    "class C:",
    "# größer 𝒳",
    "s = '''a",
    "b'''",
    "if x:",
    "    print('hé')",
)


def texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Texts that a document can hold, lone surrogates included."""
    return st.lists(st.sampled_from(_AWKWARD), max_size=max_size).map("".join)


def python_texts() -> st.SearchStrategy[str]:
    """Python-like texts, in about half of the cases with an error somewhere."""
    lines = st.lists(st.sampled_from(_PYTHON_LINES), max_size=8)
    line_end = st.sampled_from(["\n", "\r\n", "\r"])
    return st.builds(lambda some, end: end.join(some) + end, lines, line_end)


def python_fragments() -> st.SearchStrategy[str]:
    """Bits of code that keep, repair or break a Python text."""
    bits = ("x", "1", "(", ")", "[", "]", "'", ":", ",", " ", "\n", "    ", "=", "f(a)", "é")
    return st.lists(st.sampled_from(bits), max_size=5).map("".join)


@st.composite
def spans(draw: st.DrawFn, text: str) -> tuple[int, int]:
    """A start and an end offset in ``text``."""
    start = draw(st.integers(0, len(text)))
    return start, draw(st.integers(start, len(text)))


@st.composite
def edit_scripts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]]]:
    """A text and edits ``(start, end, new text)`` to apply to it one after the other."""
    text = draw(texts())
    edited, script = text, []
    for _ in range(draw(st.integers(0, 5))):
        start, end = draw(spans(edited))
        new = draw(texts(max_size=8))
        script.append((start, end, new))
        edited = edited[:start] + new + edited[end:]
    return text, script
