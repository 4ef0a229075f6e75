"""The ways to fill a case that are compared; a way is a name and a function from case to answer."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from dgemma_engine.types import InfillResult, Origin, Span, SpanCheck
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.syntax import language_for_path
from dgemma_ls.types import Refusal, Snapshot

if TYPE_CHECKING:
    from dgemma_engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a way gives for a case.

    Attributes:
        text: for the span; empty for none.
        forwards: decoder forwards that it took (a batch of canvases counts once); ``None`` for
            what has no decoder.
        token_forwards: tokens of all canvases over all of them.
    """

    text: str
    forwards: int | None = None
    token_forwards: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One way to fill a case.

    Attributes:
        name: what the command line calls it.
        title: what tables call it.
        is_baseline: whether it does without what the model has learnt.
        fill: gives the answer.
        variant_of: name of the system that this one is with one thing changed, if it is one.
    """

    name: str
    title: str
    is_baseline: bool
    fill: Callable[[Case], Answer]
    variant_of: str = ""


BASELINES = ("copy", "ppm", "5-gram", "ppm+5-gram")
"""Names of the systems that ``baselines.py`` makes."""

UNTRAINED = "untrained"
"""Name of the system that ``untrained.py`` makes."""

SHIPPED, SHIPPED_UNKNOWN = "shipped", "shipped-unknown"
"""The whole answer, told the span's length or not."""

_N_CANDIDATES = 12
"""As many as the engine looks at before it repairs the best."""

ENGINE_SYSTEMS = (
    "denoiser-1",
    "denoiser",
    "copier",
    "copier-unknown",
    "causal",
    "bridges",
    SHIPPED,
    SHIPPED_UNKNOWN,
    "gated",
    "suggested",
)
"""Names of the systems that :func:`make_systems` makes."""


def make_systems(engine: "Engine", *, n_steps: int) -> list[System]:
    """Give the engine's ways: every proposer alone, and all of them with the judge.

    Args:
        engine: whose public ``infill`` is asked.
        n_steps: denoising steps at most.
    """
    infill = partial(fill_case, engine, n_steps=n_steps)

    def alone(origin: Origin, **options: Any) -> Callable[[Case], Answer]:
        return lambda case: best_of(infill(case, proposers=(origin,), **options))

    # Two systems look at the same answer, one after the other.
    @lru_cache(maxsize=1)
    def unknown(case: Case) -> InfillResult:
        return infill(case, length_known=False)

    def repaired(case: Case) -> Answer:
        check = _gate_check(case)
        result = infill(case, length_known=False, n_candidates=1, check=check)
        return _suggested(result, check)

    ways: dict[str, tuple[str, Callable[[Case], Answer]]] = {
        "denoiser-1": ("denoiser, 1 step", alone(Origin.DENOISED, n_steps=1)),
        "denoiser": (f"denoiser, {n_steps} steps", alone(Origin.DENOISED)),
        "copier": ("copier", alone(Origin.COPIED)),
        "copier-unknown": ("copier, any length", alone(Origin.COPIED, length_known=False)),
        "causal": ("causal mode", alone(Origin.CONTINUED)),
        "bridges": ("causal paths with endings from the document", alone(Origin.BRIDGED)),
        SHIPPED: ("shipped", lambda case: best_of(infill(case))),
        SHIPPED_UNKNOWN: ("shipped, any length", lambda case: best_of(unknown(case))),
        "gated": ("  through the gate", lambda case: _suggested(unknown(case), _gate_check(case))),
        "suggested": ("  repaired for the gate", repaired),
    }
    assert tuple(ways) == ENGINE_SYSTEMS
    return [
        System(name=name, title=title, is_baseline=False, fill=fill)
        for name, (title, fill) in ways.items()
    ]


def best_of(result: InfillResult) -> Answer:
    """Give the first candidate as an answer."""
    return _answer(result, result.candidates[0].text if result.candidates else "")


def fill_case(
    engine: "Engine",
    case: Case,
    *,
    n_steps: int,
    length_known: bool = True,
    proposers: Collection[Origin] = tuple(Origin),
    n_candidates: int = _N_CANDIDATES,
    check: SpanCheck | None = None,
) -> InfillResult:
    """Ask the engine for a case as an editor would, but for what the evaluation tells it.

    Args:
        engine: whose public ``infill`` is asked.
        case: what to ask.
        n_steps: denoising steps at most.
        length_known: whether to tell the span's length in tokens.
        proposers: where candidates may come from.
        n_candidates: how many to give at most.
        check: says which may be shown.
    """
    lengths = None
    if length_known:
        lengths = (engine.span_tokens(case.prefix, case.truth),)
    return engine.infill(
        case.prefix,
        case.suffix,
        lengths=lengths,
        multiline=case.multiline,
        n_candidates=n_candidates,
        steps=n_steps,
        proposers=proposers,
        check=check,
    )


def forget_other_cases(
    engine: "Engine", case: Case, *, proposers: Collection[Origin] = tuple(Origin)
) -> None:
    """Encode the case's prefix and forget all others, as an editor's next keystroke finds it.

    So no system pays for being the first to see a case.
    """
    engine.prefixes.clear()
    engine.infill(case.prefix, case.suffix, steps=1, n_candidates=1, proposers=proposers)


def _answer(result: InfillResult, text: str) -> Answer:
    return Answer(text=text, forwards=result.forwards, token_forwards=result.token_forwards)


def _gate_check(case: Case) -> GateCheck:
    path = case.document.path
    snapshot = Snapshot(
        uri=path, version=0, language_id=language_for_path(path), text=case.prefix + case.suffix
    )
    return GateCheck(snapshot, Span(start=case.span.start, end=case.span.start))


def _suggested(result: InfillResult, check: GateCheck) -> Answer:
    """What an editor would show: the first candidate that the filters and the gate let through."""
    verdicts = (check.verdict(candidate.text) for candidate in result.candidates)
    shown = next((v.new_text for v in verdicts if not isinstance(v, Refusal)), "")
    return _answer(result, shown)
