"""A look through a document in steps: the same as at once, and only what changed anew."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine.types import CancelToken, Place
from dgemma_ls.features.typo_check import Check, ParagraphCache, check_steps, run_slice
from dgemma_ls.features.typos import TypoOptions, finish, prepare
from dgemma_ls.proofread.fixes import Fix, Knowledge
from dgemma_ls.proofread.steps import run_through
from dgemma_ls.types import Snapshot

KNOWLEDGE = Knowledge.load()
SENTENCES = (
    "It is a good idea to seperate these parts of the text.",
    "You should recieve the the message when it is ready.",
    "There is nothing wrong with this paragraph at all.",
    "This is an \U0001f980 that is definately here.",
)
TEXT = "\n\n".join(SENTENCES)


class Engine:
    """Likes whatever is not there, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        self.asked += [text[place.span.start : place.span.end] for place in places[:1]]
        return [(0.0, *(5.0 for _ in place.texts[1:])) for place in places[:1]]


def snapshot(text: str, language_id: str = "markdown") -> Snapshot:
    return Snapshot(uri="file:///a.md", version=1, language_id=language_id, text=text)


def check(
    text: str,
    cache: ParagraphCache | None = None,
    *,
    engine: object = None,
    words: frozenset[str] = frozenset(),
) -> Check:
    one = Check(snapshot=snapshot(text))
    options = TypoOptions(words=words)
    run_through(check_steps(one, KNOWLEDGE, options, cache or ParagraphCache(), engine))
    return one


def olds(fixes: Sequence[Fix]) -> list[str]:
    return [fix.old.strip() for fix in fixes]


@given(st.lists(st.sampled_from(SENTENCES), max_size=8), st.sampled_from(["\n\n", "\r\n\r\n"]))
@settings(max_examples=30, deadline=None)
def test_steps_find_what_is_found_at_once(sentences: list[str], gap: str) -> None:
    text = gap.join(sentences)
    options = TypoOptions()
    at_once = finish(prepare(snapshot(text), KNOWLEDGE, options), options)
    found = check(text).fixes
    assert [(fix.span, fix.new) for fix in found] == [(fix.span, fix.new) for fix in at_once]


@given(st.lists(st.sampled_from(SENTENCES), max_size=8), st.data())
@settings(max_examples=30, deadline=None)
def test_a_cache_of_other_versions_changes_nothing(
    sentences: list[str], data: st.DataObject
) -> None:
    cache = ParagraphCache()
    check("\n\n".join(data.draw(st.permutations(sentences))), cache)
    text = "\n\n".join(sentences)
    fresh, cached = check(text).fixes, check(text, cache).fixes
    assert [(fix.span, fix.new) for fix in cached] == [(fix.span, fix.new) for fix in fresh]


def test_after_a_change_only_what_can_see_it_is_looked_at_again() -> None:
    paragraphs = [
        f"It is paragraph number {'of ' * n}the text. " + SENTENCES[2] * 8 for n in range(9)
    ]
    cache = ParagraphCache()
    assert check("\n\n".join(paragraphs), cache).n_checked == 9
    paragraphs[4] += " And one more."
    assert check("\n\n".join(paragraphs), cache).n_checked == 2  # the next one reads its end
    assert check("A title\n\n" + "\n\n".join(paragraphs), cache).n_checked == 2


def test_the_model_is_asked_in_pieces_and_has_its_say() -> None:
    engine = Engine()
    found = check(TEXT, engine=engine)
    assert olds(found.fixes) == ["seperate", "recieve", "the", "definately"]
    assert len(engine.asked) >= 4
    cache = ParagraphCache()
    check(TEXT, cache, engine=engine)
    n_asked = len(engine.asked)
    check(TEXT, cache, engine=engine)
    assert len(engine.asked) == n_asked


def test_a_word_that_becomes_right_is_no_longer_found() -> None:
    cache = ParagraphCache()
    assert "seperate" in olds(check(TEXT, cache).fixes)
    assert "seperate" not in olds(check(TEXT, cache, words=frozenset({"Seperate"})).fixes)
    assert "seperate" in olds(check(TEXT, cache).fixes)


def test_the_frontier_moves_on_and_a_slice_stops_in_time() -> None:
    one = Check(snapshot=snapshot("\n\n".join(SENTENCES * 40)))
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 0.004
        return now_s

    steps = check_steps(one, KNOWLEDGE, TypoOptions(), ParagraphCache(), None)
    frontiers = []
    while not run_slice(steps, clock=clock):
        frontiers.append(one.frontier)
        assert all(fix.span.end <= one.frontier for fix in one.fixes)
    assert len(frontiers) > 40
    assert frontiers == sorted(frontiers)
    assert (one.done, one.share, one.frontier) == (True, 1.0, len(one.snapshot.text))


def test_the_cache_keeps_to_its_budget_and_the_newest() -> None:
    cache = ParagraphCache(budget_bytes=1000)
    fix = replace(check(TEXT).fixes[0])
    for number in range(10):
        cache.put(bytes([number]), (fix,))
    assert [cache.get(bytes([number])) is not None for number in range(10)] == [False] * 9 + [True]
