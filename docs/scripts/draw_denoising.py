"""Draw how the engine fills a gap: ``python docs/scripts/draw_denoising.py``.

Asks the real engine for the gap of ``examples/basket.py`` named below, keeps what stands in its
canvases after each denoising step, and writes ``docs/pictures/denoising.svg``. Same weights and
seed, same picture. Only the denoiser proposes here, and the length is told, so that there is
something to see, and there are more canvases than the embedded model's settings have. A suggestion
also has copies and continuations, and tries several lengths.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from xml.sax.saxutils import escape

from dgemma_engine import Draft, Origin, Span
from dgemma_ls import gate
from dgemma_ls.loading import load_engine
from dgemma_ls.types import Edit, Snapshot

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "examples" / "basket.py"
PICTURE = ROOT / "docs" / "pictures" / "denoising.svg"

BEFORE, GAP, AFTER = "    def remove(", "self, item: Item) -> None", ":"
STEPS = 6
SEED = 1
N_CANVASES = 4

_CHAR, _LINE, _LEFT, _GAP_LEFT = 8.4, 22, 20, 128
_WIDTH = 700
_STYLE = """\
.page { fill: #ffffff; stroke: #d0d7de }
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
.note { font: 13px system-ui, sans-serif; fill: #59636e }
.clamped { fill: #0550ae }
.going { fill: #bc4c00 }
.noise { fill: #bc4c00; fill-opacity: 0.25 }
.stays { fill: #1a7f37; font-weight: 600 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117; stroke: #3d444d }
text { fill: #f0f6fc }
.note { fill: #9198a1 }
.clamped { fill: #79c0ff }
.going { fill: #ffa657 }
.noise { fill: #ffa657; fill-opacity: 0.3 }
.stays { fill: #56d364 }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a text that a canvas ended with.

    Attributes:
        text: the text.
        score: the judge's value in nats; higher is better.
        parses: whether the gate lets it pass.
    """

    text: str
    score: float
    parses: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Denoising:
    """The picture's content.

    Attributes:
        steps: what stood in the canvas that won, after each of its steps.
        fates: the texts that came of them, best first.
    """

    steps: tuple[str, ...]
    fates: tuple[Fate, ...]


def main() -> int:
    """Run the engine and write the picture, or only compare it."""
    parser = argparse.ArgumentParser(description="Draw how the engine fills a gap.")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    args = parser.parse_args()
    text = SOURCE.read_text("utf-8")
    start = text.index(BEFORE + GAP + AFTER) + len(BEFORE)
    picture = draw(denoise(text, Span(start=start, end=start + len(GAP))))
    if args.check:
        return 0 if PICTURE.exists() and PICTURE.read_text("utf-8") == picture else 1
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture, "utf-8")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {len(picture.encode()):,} bytes\n")
    return 0


def denoise(text: str, gap: Span) -> Denoising:
    """Fill a gap, and keep what the steps showed."""
    engine = load_engine("embedded").with_infill_settings(n_canvases=N_CANVASES)
    prefix, suffix = text[: gap.start], text[gap.end :]
    drafts: list[Draft] = []
    result = engine.infill(
        prefix,
        suffix,
        lengths=[engine.span_tokens(prefix, text[gap.start : gap.end])],
        n_candidates=16,
        steps=STEPS,
        seed=SEED,
        proposers={Origin.DENOISED},
        on_step=drafts.append,
    )
    best = result.candidates[0].text
    winner = drafts[-1].texts.index(best)  # all canvases took part until the last step
    if any(len(draft.texts) != N_CANVASES for draft in drafts):
        raise SystemExit("a canvas was done early, so rows cannot be told apart; take other steps")
    return Denoising(
        steps=tuple(draft.texts[winner] for draft in drafts),
        fates=tuple(
            Fate(text=it.text, score=it.score, parses=_parses(text, gap, it.text))
            for it in result.candidates
        ),
    )


def draw(shown: Denoising) -> str:
    """Give the SVG."""
    lines = list(_lines(shown))
    height = _LINE * len(lines) + 2 * _LEFT
    body = "\n".join(
        part.format(y=_LEFT + _LINE * number + 15, top=_LEFT + _LINE * number + 2)
        for number, line in enumerate(lines)
        for part in line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">\n'
        f"<title>A gap is denoised in {len(shown.steps)} steps</title>\n"
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="6"/>\n'
        f"{body}\n</svg>\n"
    )


def _lines(shown: Denoising) -> Iterator[Sequence[str]]:
    """Give the picture's lines; {y} and {top} are where they stand."""
    best = shown.fates[0].text
    yield [_note(f"one of {N_CANVASES} canvases; blue is clamped, the gap starts as noise")]
    yield [_note("noise"), *_row(BEFORE.strip(), [("noise", best)])]
    for number, text in enumerate(shown.steps, 1):
        yield [_note(f"step {number}"), *_row(BEFORE.strip(), _against(text, best))]
    yield []
    yield [_note("what came of all canvases, as the judge ranks it, and what the gate says")]
    for fate in shown.fates:
        verdict = "parses" if fate.parses else "does not parse: never shown"
        kind = "stays" if fate.parses else "going"
        row = _row(BEFORE.strip(), [(kind, fate.text)])
        after = _GAP_LEFT + _CHAR * (len(BEFORE.strip() + fate.text + AFTER) + 2)
        yield [_note(f"{fate.score:.1f} nats"), *row, _note(verdict, after)]


def _row(before: str, pieces: Sequence[tuple[str, str]]) -> Iterator[str]:
    at = float(_GAP_LEFT)
    for kind, text in [("clamped", before), *pieces, ("clamped", AFTER)]:
        width = _CHAR * len(text)
        if kind == "noise":
            yield f'<rect class="noise" x="{at:.1f}" y="{{top}}" width="{width:.1f}" height="17"/>'
        elif text:
            yield (
                f'<text class="{kind}" x="{at:.1f}" y="{{y}}" textLength="{width:.1f}" '
                f'xml:space="preserve">{_braced(text)}</text>'
            )
        at += width


def _against(text: str, final: str) -> list[tuple[str, str]]:
    """Cut a step's text into what is as in the end and what is not."""
    pieces: list[tuple[str, str]] = []
    for tag, start, end, _, _ in SequenceMatcher(None, text, final, autojunk=False).get_opcodes():
        if start < end:
            pieces.append(("stays" if tag == "equal" else "going", text[start:end]))
    return pieces


def _note(text: str, at: float = _LEFT) -> str:
    return f'<text class="note" x="{at:.1f}" y="{{y}}">{_braced(text)}</text>'


def _braced(text: str) -> str:
    return escape(text).replace("{", "{{").replace("}", "}}")


def _parses(text: str, gap: Span, new_text: str) -> bool:
    snapshot = Snapshot(uri=SOURCE.name, version=0, language_id="python", text=text)
    edit = Edit(uri=SOURCE.name, version=0, span=gap, new_text=new_text)
    return gate.check(snapshot, edit) == edit or text[gap.start : gap.end] == new_text


if __name__ == "__main__":
    sys.exit(main())
