"""Documents that libraries wrote, and what other parsers than ours make of them."""

import json
import tomllib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import TypeVar
from xml.etree import ElementTree as ET

import tomli_w
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dgemma_ls.proofread.formats import Leaf, read_structure
from dgemma_ls.types import Edit, Snapshot

T = TypeVar("T")
_BITS = (
    *("the", "text", "of", "it", "isn't", "no", "1.5", "é", "𝒳", "a-b"),
    *(" ", " ", " ", "  ", ": ", " #", "\n", '"', "'", "\\", "&", "<", ">", "]]>", "{{x}}", "- "),
    *("&amp;", "\\n", "%s", ",", "[", "]", "|", "`", "*", "\t", "'''", "=", "\u2028", "\x85"),
)
strings = st.lists(st.sampled_from(_BITS), max_size=7).map("".join)
keys = st.sampled_from(["a", "b", "key c", "d.e", "text"])
values = st.recursive(
    strings | strings | st.integers(0, 9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
data = st.dictionaries(
    keys, values | st.lists(strings, min_size=2, max_size=6), min_size=1, max_size=4
)


@st.composite
def json_documents(draw: st.DrawFn) -> str:
    return json.dumps(
        draw(data), indent=draw(st.sampled_from([None, 2])), ensure_ascii=draw(st.booleans())
    )


@st.composite
def yaml_documents(draw: st.DrawFn) -> str:
    return yaml.safe_dump(
        draw(data),
        default_style=draw(st.sampled_from([None, None, "'", '"', "|", ">"])),
        default_flow_style=draw(st.sampled_from([False, False, None, True])),
        width=draw(st.sampled_from([10, 80])),
        allow_unicode=draw(st.booleans()),
        line_break=draw(st.sampled_from(["\n", "\n", "\r\n"])),
    )


@st.composite
def toml_documents(draw: st.DrawFn) -> str:
    return tomli_w.dumps(draw(data), multiline_strings=draw(st.booleans()))


@st.composite
def xml_documents(draw: st.DrawFn) -> str:
    root = ET.Element("a", {"b": "c"})
    for text, tail in draw(st.lists(st.tuples(strings, strings), max_size=6)):
        child = ET.SubElement(root, draw(st.sampled_from(["b", "i"])))
        child.text, child.tail = text, tail
    return ET.tostring(root, encoding="unicode")


def html_documents() -> st.SearchStrategy[str]:
    return xml_documents().map(lambda text: f"<!doctype html>\n<p>{text}<br>\n</p>")


def markdown_documents() -> st.SearchStrategy[str]:
    body = "\n# the text\n\n- `of` it\n"
    return yaml_documents().map(lambda matter: f"---\n{matter.replace('---', '')}---\n{body}")


def flat(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, object]]:
    """Give (path, value) of all that is no list and no dictionary, types told apart."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from flat(inner, (*path, index))
    else:
        yield path, (type(value).__name__, value)


def flat_xml(text: str) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    for index, element in enumerate(ET.fromstring(text).iter()):
        found += [((index, element.tag, "text"), element.text), ((index, "tail"), element.tail)]
        found.append(((index, "attributes"), tuple(element.attrib.items())))
    return found


def flat_yaml(text: str) -> list[tuple[object, object]]:
    return list(flat(yaml.safe_load(text)))


def flat_yaml_1_2(text: str) -> list[tuple[object, object]]:
    return list(flat(YAML(typ="safe", pure=True).load(text)))


class Events(HTMLParser):
    """Tags and texts with references resolved, texts on both sides of a reference as one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[object, object]] = [("text", "")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(("start", tag, *attrs), None), ("text", "")]

    def handle_endtag(self, tag: str) -> None:
        self.found += [(("end", tag), None), ("text", "")]

    def handle_data(self, data: str) -> None:
        self.found[-1] = ("text", f"{self.found[-1][1]}{data}")


def flat_html(text: str) -> list[tuple[object, object]]:
    events = Events()
    events.feed(text)
    events.close()
    return events.found


def flat_markdown(text: str) -> list[tuple[object, object]]:
    _, matter, body = text.split("---\n", 2)
    return [*flat_yaml(matter), ("body", body)]


FORMATS: dict[str, tuple[st.SearchStrategy[str], Callable[[str], list[tuple[object, object]]]]] = {
    "json": (json_documents(), lambda text: list(flat(json.loads(text)))),
    "yaml": (yaml_documents(), flat_yaml),
    "toml": (toml_documents(), lambda text: list(flat(tomllib.loads(text)))),
    "xml": (xml_documents(), flat_xml),
    "html": (html_documents(), flat_html),
    "markdown": (markdown_documents(), flat_markdown),
}


def edits_that_pass(
    language_id: str,
    n_documents: int,
    proposals: st.SearchStrategy[T],
    edits: Callable[[Snapshot, Leaf, T, st.DataObject], list[Edit]],
) -> int:
    """Judge what is made of every text in many documents; give how many edits that were."""
    documents, read = FORMATS[language_id]
    n_edits = 0

    @settings(
        max_examples=n_documents,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(documents, proposals, st.data())
    def run(text: str, proposed: T, choose: st.DataObject) -> None:
        nonlocal n_edits
        document = Snapshot(uri="file:///a", version=1, language_id=language_id, text=text)
        structure = read_structure(language_id, text)
        if structure is None:  # tomli-w and ElementTree write what their readers refuse, rarely
            return
        for leaf in structure.leaves:
            for edit in edits(document, leaf, proposed, choose):
                n_edits += 1
                judge(language_id, read, document, edit)

    run()
    return n_edits


def judge(
    language_id: str,
    read: Callable[[str], list[tuple[object, object]]],
    document: Snapshot,
    edit: Edit,
) -> None:
    """Make sure that an edit changes one text, and nothing else."""
    after = edit.apply(document)
    old, changed = read(document.text), read(after)

    assert [path for path, _ in old] == [path for path, _ in changed]
    differing = [(a, b) for (_, a), (_, b) in zip(old, changed, strict=True) if a != b]
    assert len(differing) <= 1
    for a, b in differing:
        assert type(a) is type(b)
        if isinstance(a, tuple) and isinstance(b, tuple):
            assert a[0] == b[0] == "str"
    if language_id == "yaml":
        try:
            old_1_2 = flat_yaml_1_2(document.text)
        except YAMLError:  # it takes less of what PyYAML writes
            return
        assert [path for path, _ in old_1_2] == [path for path, _ in flat_yaml_1_2(after)]
