"""Structured files with planted typos, mended as ``fix --write --tier suggest`` mends them.

The files are those of the installed packages, and documents that libraries wrote. Parsers other
than ours say what they mean before and after.
"""

import json
import random
import re
import sysconfig
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import tomli_w
import yaml

from dgemma_ls.features.typos import (
    TypoOptions,
    apply_all,
    ask,
    finish,
    passing,
    prepare,
    take_answers,
)
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.proofread.types import Fix
from dgemma_ls.types import Snapshot
from tests.ls.proofread.documents import flat, flat_markdown, flat_xml

_MAX_BYTES = 60_000
_SUFFIXES = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".xml": "xml",
    ".xsd": "xml",
    ".md": "markdown",
}
_SENTENCES = (
    "It is a good idea to separate these parts of the text.",
    "You should receive the message when it is ready: see the “log” & <tail>.",
    'Say "yes" to the question, or C:\\path\\to\\it, and the server isn\'t started.',
    "The value of the option is definitely not the default # of the list.",
    "- there is an environment variable that it depends on, until the end",
    "There are two lines in this description.\nThe second one occurred later.\n",
    "An é and a 𝒳 are accessible here, and it's the beginning of a sentence.",
    "true, the 1.5 of them is necessary for the successful build",
)
_TYPOS = {
    "separate": "seperate",
    "receive": "recieve",
    "definitely": "definately",
    "environment": "enviroment",
    "until": "untill",
    "occurred": "occured",
    "accessible": "accesible",
    "beginning": "begining",
    "necessary": "neccessary",
    "successful": "succesful",
    "default": "defualt",
    "message": "mesage",
    "the": "teh",
    "and": "adn",
    "of the": "of the the",
    "a sentence": "an sentence",
}
_PLANTABLE = re.compile(r"\b(?:" + "|".join(sorted(_TYPOS, key=len, reverse=True)) + r")\b")
_KEYS = ("description", "title", "the message", "summary", "help", "nested", "text of it", "items")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a run.

    Attributes:
        n_files: by language id.
        n_edits: of them, all together.
        n_leaves: texts that the edits changed; the others were in comments and Markdown.
        regressions: what a parser said, with the name of the file.
    """

    n_files: dict[str, int] = field(default_factory=dict)
    n_edits: int = 0
    n_leaves: int = 0
    regressions: list[str] = field(default_factory=list)


def run(n_files: int, *, engine: Any = None, with_packages: bool = True, seed: int = 0) -> Outcome:
    """Mend typos in so many files, and judge each.

    Args:
        n_files: half of them of packages, as far as there are so many.
        engine: has its say, if there is one.
        with_packages: take files of packages too.
        seed: of the written documents, and of where typos are planted.
    """
    rng = random.Random(seed)
    knowledge = Knowledge.load()
    outcome = Outcome()
    found = list(islice(_of_packages(rng), n_files // 2)) if with_packages else []
    written = islice(_written(rng), n_files - len(found))
    for name, language_id, text in (*found, *written):
        before = _meaning(language_id, text)
        if before is None:
            continue
        snapshot = Snapshot(uri=name, version=0, language_id=language_id, text=text)
        fixes, after = _mended(snapshot, knowledge, engine)
        outcome.n_files[language_id] = outcome.n_files.get(language_id, 0) + 1
        outcome.n_edits += len(fixes)
        _judge(outcome, name, before, _meaning(language_id, after), fixes)
        if _outside(text, fixes) != _outside_after(after, fixes):
            outcome.regressions.append(f"{name}: bytes outside of the fixes changed")
    return outcome


def _mended(snapshot: Snapshot, knowledge: Knowledge, engine: Any) -> tuple[list[Fix], str]:
    options = TypoOptions()
    found = prepare(snapshot, knowledge, options)
    if engine is not None:
        asked = ask(found)
        take_answers(found, asked, engine.compare(snapshot.text, asked.places))
    fixes = passing(snapshot, finish(found, options, with_model=engine is not None))
    return fixes, apply_all(snapshot, fixes)


def _judge(
    outcome: Outcome,
    name: str,
    before: list[tuple[object, object]],
    after: list[tuple[object, object]] | None,
    fixes: list[Fix],
) -> None:
    if after is None:
        outcome.regressions.append(f"{name}: does not parse")
        return
    if [path for path, _ in before] != [path for path, _ in after]:
        outcome.regressions.append(f"{name}: another tree")
        return
    changed = [(a, b) for (_, a), (_, b) in zip(before, after, strict=True) if a != b]
    outcome.n_leaves += len(changed)
    if len(changed) > len(fixes):
        outcome.regressions.append(f"{name}: {len(changed)} texts changed by {len(fixes)} fixes")
    if any(_type(a) != _type(b) or _type(a) != "str" for a, b in changed):
        outcome.regressions.append(f"{name}: a value of another type")


def _type(value: object) -> object:
    return value[0] if isinstance(value, tuple) else type(value).__name__


def _outside(text: str, fixes: list[Fix]) -> str:
    pieces, position = [], 0
    for fix in fixes:
        pieces.append(text[position : fix.span.start])
        position = fix.span.end
    return "\0".join([*pieces, text[position:]])


def _outside_after(text: str, fixes: list[Fix]) -> str:
    pieces, position, shift = [], 0, 0
    for fix in fixes:
        start = fix.span.start + shift
        pieces.append(text[position:start])
        position = start + len(fix.new)
        shift += len(fix.new) - (fix.span.end - fix.span.start)
    return "\0".join([*pieces, text[position:]])


def _meaning(language_id: str, text: str) -> list[tuple[object, object]] | None:
    """Give all that a document means, ``None`` if its parser refuses it."""
    readers: dict[str, Callable[[str], list[tuple[object, object]]]] = {
        "json": lambda text: list(flat(json.loads(text))),
        "yaml": lambda text: [
            pair
            for number, document in enumerate(yaml.safe_load_all(text))
            for pair in flat(document, (number,))
        ],
        "toml": lambda text: list(flat(tomllib.loads(text))),
        "xml": flat_xml,
        "markdown": flat_markdown if text.startswith("---\n") else _flat_body,
    }
    try:
        return readers[language_id](text)
    except (ValueError, yaml.YAMLError, ET.ParseError, RecursionError, TypeError):
        return None


def _flat_body(text: str) -> list[tuple[object, object]]:
    return [("body", text)]


def _of_packages(rng: random.Random) -> Iterator[tuple[str, str, str]]:
    """Give files of installed packages with typos in them, the short ones of each kind in turns."""
    folder = Path(sysconfig.get_path("purelib"))
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
    rng.shuffle(paths)
    for path in paths:
        if path.stat().st_size <= _MAX_BYTES and path.is_file():
            try:
                text = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
            yield path.name, _SUFFIXES[path.suffix], _planted(rng, text, 0.3)


def _written(rng: random.Random) -> Iterator[tuple[str, str, str]]:
    number = 0
    while True:
        number += 1
        language_id = rng.choice(("json", "yaml", "toml", "xml", "markdown"))
        yield f"written {number}", language_id, _document(rng, language_id)


def _planted(rng: random.Random, text: str, share: float) -> str:
    return _PLANTABLE.sub(lambda m: _TYPOS[m[0]] if rng.random() < share else m[0], text)


def _text(rng: random.Random) -> str:
    chosen = rng.sample(_SENTENCES, rng.randint(1, 3))
    return _planted(rng, rng.choice((" ", "\n")).join(chosen), 0.3)


def _data(rng: random.Random, depth: int = 2) -> dict[str, Any]:
    def value(depth: int) -> Any:
        kind = rng.random()
        if depth and kind < 0.2:
            return {key: value(depth - 1) for key in rng.sample(_KEYS, 2)}
        if depth and kind < 0.35:
            return [value(0) for _ in range(rng.randint(1, 3))]
        return rng.choice((1, 1.5, True, "no", "2026-01-01")) if kind > 0.85 else _text(rng)

    return {key: value(depth) for key in rng.sample(_KEYS, rng.randint(2, 5))}


def _document(rng: random.Random, language_id: str) -> str:
    data = _data(rng)
    if language_id == "json":
        indent, to_ascii = rng.choice((None, 2)), rng.random() < 0.5
        return json.dumps(data, indent=indent, ensure_ascii=to_ascii)
    if language_id == "toml":
        return "# There is teh comment of it.\n" + tomli_w.dumps(
            data, multiline_strings=rng.random() < 0.5
        )
    if language_id == "xml":
        root = ET.Element("a", {"b": "teh value of an attribute"})
        for key, value in data.items():
            child = ET.SubElement(root, rng.choice(("b", "i")), {"name": key})
            child.text, child.tail = str(value), rng.choice(("\n", _text(rng)))
        return ET.tostring(root, encoding="unicode")
    matter = yaml.safe_dump(
        data,
        default_style=rng.choice((None, None, "'", '"', "|", ">")),
        width=rng.choice((30, 80)),
        allow_unicode=rng.random() < 0.5,
    )
    if language_id == "yaml":
        return matter + "# There is teh comment of it.\n"
    body = _planted(rng, "\n# The message\n\n- `teh` of the server\n\n" + _SENTENCES[0], 0.3)
    return f"---\n{matter.replace('---', '')}---\n{body}\n"
