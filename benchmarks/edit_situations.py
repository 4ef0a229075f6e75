"""Situations in the middle of an edit, cut out of real programs: what comes next is known.

Python's own ``ast`` says which occurrences of a name are one variable, nothing of the server's.
"""

import ast
import builtins
import keyword
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dgemma_engine.types import Span
from dgemma_ls.edits import Replacement, difference
from dgemma_ls.evaluation.cases import Document
from dgemma_ls.features.changed_words import Log, after_change

_RESERVED = {*keyword.kwlist, *dir(builtins), "self", "cls"}
_PER_KIND_AND_FILE = 2
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A document right after an edit.

    Attributes:
        kind: what somebody is doing.
        path: of the document.
        text: the document now.
        log: which words were changed.
        cursor: where the edit ended.
        old: the name that goes, ``new`` the one that comes; empty where nothing is renamed.
        places: where the old name should still be replaced; anything else offered is wrong.
    """

    kind: str
    path: str
    text: str
    log: Log
    cursor: int
    old: str
    new: str
    places: frozenset[Span]

    def is_right(self, span: Span, new_text: str) -> bool:
        """Say whether an edit does a part of what is left to do, and nothing else."""
        inside = [p for p in self.places if span.start <= p.start and p.end <= span.end]
        text = self.text[span.start : span.end]
        for place in sorted(inside, key=lambda p: -p.start):
            low, high = place.start - span.start, place.end - span.start
            text = text[:low] + self.new + text[high:]
        return bool(inside) and text == new_text


def draw_situations(
    documents: Sequence[Document], *, n_per_kind: int, seed: int
) -> list[Situation]:
    """Draw situations of each kind, spread over the documents."""
    pool = sorted({word for document in documents for word in _names(document.text)})
    by_kind: dict[str, list[Situation]] = {}
    for document in documents:
        rng = random.Random(f"{seed} {document.path}")
        found: dict[str, list[Situation]] = {}
        for situation in _situations(document, pool, rng):
            found.setdefault(situation.kind, []).append(situation)
        for kind, those in found.items():
            rng.shuffle(those)
            by_kind.setdefault(kind, []).extend(those[:_PER_KIND_AND_FILE])
    rng = random.Random(seed)
    return [
        situation
        for kind in sorted(by_kind)
        for situation in rng.sample(by_kind[kind], min(n_per_kind, len(by_kind[kind])))
    ]


def _situations(document: Document, pool: Sequence[str], rng: random.Random) -> Iterator[Situation]:
    try:
        tree = ast.parse(document.text)
    except SyntaxError:
        return
    source = _Source(document.text)
    known = set(_names(document.text))
    fresh = [name for name in rng.sample(pool, min(len(pool), 3000)) if name not in known]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    rng.shuffle(functions)
    for function in functions[:12]:
        locals_ = _locals(function, source)
        names = [name for name, spans in locals_.items() if len(spans) >= 3]
        for name in rng.sample(names, min(1, len(names))):
            spans = locals_[name]
            # As it was written: what somebody makes of a worse name, and the other way round.
            yield _renamed("local, to its real name", document, spans, fresh.pop(), name, rng)
            yield _renamed("local, from its real name", document, spans, name, fresh.pop(), rng)
            if document.text.count(name) > len(spans):
                done = _renamed("done", document, spans, name, fresh.pop(), rng, n_done=len(spans))
                yield done
        if len(names) >= 2:
            one, other = rng.sample(names, 2)
            yield _use("another variable", document, locals_[one][1:], one, other, rng)
            yield _use(
                "a new variable in one place", document, locals_[one][1:], one, fresh.pop(), rng
            )
    for kind, spans, name in _wide_names(tree, source):
        if len(spans) >= 2:
            yield _renamed(kind, document, spans, name, fresh.pop(), rng)
        if len(spans) >= 2 and kind == "attribute":
            kind = "a new attribute in one place"
            yield _use(kind, document, spans[1:], name, fresh.pop(), rng)
    yield from _typed(document, rng)


def _renamed(
    kind: str,
    document: Document,
    spans: Sequence[Span],
    old: str,
    new: str,
    rng: random.Random,
    *,
    n_done: int | None = None,
) -> Situation:
    """Replace a name by ``old`` everywhere, then by ``new`` in its first places, as if typed."""
    text, places = _replaced(document.text, spans, old)
    n_done = n_done or rng.choice((1, 1, 2)) if len(spans) > 2 else 1
    log: Log = ()
    cursor = 0
    for number in range(n_done):
        text, log, moved = _type_over(text, log, places[number], new)
        places = [_moved(place, moved) if at > number else place for at, place in enumerate(places)]
        cursor = moved.new_span.end if number == n_done - 1 else cursor
    return Situation(
        kind=kind, path=document.path, text=text, log=log, cursor=cursor,
        old=old, new=new, places=frozenset(places[n_done:]),
    )  # fmt: skip


def _use(
    kind: str, document: Document, spans: Sequence[Span], old: str, new: str, rng: random.Random
) -> Situation:
    """Replace one use of a variable: nothing follows from that."""
    text, log, moved = _type_over(document.text, (), rng.choice(spans), new)
    return Situation(
        kind=kind, path=document.path, text=text, log=log, cursor=moved.new_span.end,
        old=old, new=new, places=frozenset(),
    )  # fmt: skip


def _typed(document: Document, rng: random.Random) -> Iterator[Situation]:
    """Type the last word of lines: nothing else is to be changed."""
    ends = [m.end() for m in re.finditer(r"\w+[^\w\n]*(?=\n)", document.text)]
    for end in rng.sample(ends, min(4, len(ends))):
        (word,) = list(_WORD.finditer(document.text[:end]))[-1:]
        text, log = document.text[: word.start()] + document.text[end:], ()
        for at in range(word.start(), end):
            longer = text[:at] + document.text[at] + text[at:]
            change = difference(text, longer)
            assert change is not None
            text, log = longer, after_change(log, text, change, longer)
        yield Situation(
            kind="typing on", path=document.path, text=text, log=log, cursor=end,
            old="", new="", places=frozenset(),
        )  # fmt: skip


def _type_over(text: str, log: Log, place: Span, new: str) -> tuple[str, Log, Replacement]:
    """Select a word and type another, letter by letter."""
    begun = text
    for n in range(1, len(new) + 1):
        after = begun[: place.start] + new[:n] + begun[place.end :]
        if (change := difference(text, after)) is not None:
            log = after_change(log, text, change, after)
        text = after
    old = begun[place.start : place.end]
    return text, log, Replacement(start=place.start, old_text=old, new_text=new)


def _replaced(text: str, spans: Sequence[Span], new: str) -> tuple[str, list[Span]]:
    parts, places, at, grown = [], [], 0, 0
    for span in spans:
        parts += [text[at : span.start], new]
        places.append(Span(start=span.start + grown, end=span.start + grown + len(new)))
        grown += len(new) - (span.end - span.start)
        at = span.end
    return "".join([*parts, text[at:]]), places


def _moved(span: Span, change: Replacement) -> Span:
    return Span(start=span.start + change.growth, end=span.end + change.growth)


class _Source:
    """Finds the code points of nodes, whose columns are UTF-8 bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)

    def word(self, node: ast.expr | ast.arg, name: str) -> Span:
        start = self.at(node.lineno, node.col_offset)
        return Span(start=start, end=start + len(name))

    def member(self, node: ast.Attribute) -> Span:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = self.at(node.end_lineno, node.end_col_offset)
        return Span(start=end - len(node.attr), end=end)

    def holds(self, span: Span, name: str) -> bool:
        return self.text[span.start : span.end] == name


def _locals(
    function: ast.FunctionDef | ast.AsyncFunctionDef, source: _Source
) -> dict[str, list[Span]]:
    """Give the occurrences of a function's variables; those that inner scopes bind are left out."""
    bound: dict[str, int] = {}
    spans: dict[str, set[Span]] = {}
    barred: set[str] = set()
    arguments = function.args
    own = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    own += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    for argument in own:
        bound[argument.arg] = 1
        spans.setdefault(argument.arg, set()).add(source.word(argument, argument.arg))
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Global | ast.Nonlocal):
                barred |= set(node.names)
            elif isinstance(node, ast.Name):
                spans.setdefault(node.id, set()).add(source.word(node, node.id))
                if isinstance(node.ctx, ast.Store):
                    bound[node.id] = 1
            elif isinstance(node, ast.arg | ast.ExceptHandler | ast.alias | ast.MatchAs):
                barred.add(getattr(node, "arg", None) or getattr(node, "name", None) or "")
            elif isinstance(node, ast.comprehension):
                barred |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                barred.add(node.name)
    return {
        name: sorted(spans[name], key=lambda span: span.start)
        for name in sorted(bound)
        if name not in barred | _RESERVED and len(name) > 1
        and all(source.holds(span, name) for span in spans[name])
    }  # fmt: skip


def _wide_names(tree: ast.Module, source: _Source) -> Iterator[tuple[str, list[Span], str]]:
    """Give attributes of ``self`` by class, and functions of the module."""
    for cls in [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]:
        members: dict[str, list[Span]] = {}
        methods = {
            n.name for n in ast.walk(cls) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for node in ast.walk(cls):
            own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if own and node.value.id == "self" and node.attr not in methods:
                members.setdefault(node.attr, []).append(source.member(node))
        for name, spans in members.items():
            if all(source.holds(span, name) for span in spans):
                yield "attribute", sorted(spans, key=lambda span: span.start), name
    counts: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.arg if isinstance(node, ast.arg) else node.name
            counts[name] = counts.get(name, 0) + 1
    for function in tree.body:
        if (
            isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            and counts[function.name] == 1
        ):
            name = function.name
            uses = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name]
            start = source.at(function.lineno, function.col_offset)
            start = source.text.index(name, start)
            first = Span(start=start, end=start + len(name))
            spans = sorted([first, *(source.word(n, name) for n in uses)], key=lambda s: s.start)
            if all(isinstance(n.ctx, ast.Load) for n in uses) and all(
                source.holds(span, name) for span in spans
            ):
                yield "function", spans, name


def _names(text: str) -> list[str]:
    return [w for w in re.findall(r"[a-z_]\w{2,}", text) if w not in _RESERVED and len(w) < 25]
