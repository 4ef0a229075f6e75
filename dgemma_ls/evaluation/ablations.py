"""Shipped ways with one part taken out or changed: what each part of them is worth."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.systems import SHIPPED_UNKNOWN, Answer, System, best_of, fill_case

if TYPE_CHECKING:
    from dgemma_engine import Engine

Fill = Callable[[Case], Answer]

ABLATIONS = (
    "no-copies",
    "no-causal",
    "no-bridges",
    "no-denoiser",
    "no-statistics",
    "no-judge",
    "no-healing",
    "warm",
    "refined",
    "late-clamps",
    "denoiser-unknown",
    "denoiser-margin",
    "denoiser-certainty",
    "denoiser-lengths",
    "denoiser-refined",
    "denoiser-no-judge",
    "denoiser-own-rows",
    "denoiser-zero-rows",
)
"""Names of the systems that :func:`make_ablations` makes."""

_DENOISER, _UNKNOWN = "denoiser", "denoiser-unknown"


def make_ablations(engine: "Engine", *, n_steps: int) -> list[System]:
    """Give the variants: of the whole answer, and of the denoiser alone with and without a length.

    What is shown without repair is the system ``gated``.

    Args:
        engine: whose public ``infill`` is asked, under the settings that a variant needs.
        n_steps: denoising steps at most.
    """

    def without(*origins: Origin) -> Fill:
        return _fill(engine, n_steps, [one for one in Origin if one not in origins])

    def under(**settings: Any) -> Fill:
        return _fill(engine.with_infill_settings(**settings), n_steps, tuple(Origin))

    def denoised(*, length_known: bool = False, **settings: Any) -> Fill:
        signals = {"length_draws": 4, "refine_radius": 0}
        changed = engine.with_infill_settings(**signals | settings)
        return _fill(changed, n_steps, (Origin.DENOISED,), length_known=length_known)

    # Clamps that are self-conditioned on themselves at once, or from the second step on.
    known_at_once = engine.infill_settings.clamps_known_at_once
    variants = {
        "no-copies": ("without copies", without(Origin.COPIED)),
        "no-causal": ("without causal paths", without(Origin.CONTINUED, Origin.BRIDGED)),
        "no-bridges": ("without bridges", without(Origin.BRIDGED)),
        "no-denoiser": ("without the denoiser", without(Origin.DENOISED)),
        "no-statistics": ("without document statistics", under(document_weights=())),
        "no-judge": ("without the judge", under(judges=False)),
        "no-healing": ("without healing", under(heals=False)),
        "warm": ("with canvases from drafts", under(warm_drafts=2)),
        "refined": ("with lengths refined by 2", under(refine_radius=2)),
        "late-clamps": (
            f"clamps known {'a step later' if known_at_once else 'at once'}",
            under(clamps_known_at_once=not known_at_once),
        ),
        _UNKNOWN: ("denoiser, lengths by both signals", denoised()),
        "denoiser-margin": ("  by the margin alone", denoised(length_signals="margin")),
        "denoiser-certainty": ("  by certainty alone", denoised(length_signals="certainty")),
        "denoiser-lengths": ("  all lengths", denoised(length_draws=0)),
        "denoiser-refined": ("  refined by 2", denoised(refine_radius=2)),
        "denoiser-no-judge": ("  without the judge", denoised(judges=False)),
        "denoiser-own-rows": (
            "denoiser, told, clamps conditioned on own",
            denoised(length_known=True, clamps_as="own"),
        ),
        "denoiser-zero-rows": (
            "denoiser, told, clamps on nothing",
            denoised(length_known=True, clamps_as="nothing"),
        ),
    }
    assert tuple(variants) == ABLATIONS
    return [
        System(name=name, title=title, is_baseline=False, fill=fill, variant_of=_varied(name))
        for name, (title, fill) in variants.items()
    ]


def _varied(name: str) -> str:
    if name == _UNKNOWN:
        return ""
    if name.endswith("-rows"):
        return _DENOISER
    return _UNKNOWN if name.startswith(_DENOISER) else SHIPPED_UNKNOWN


def _fill(
    engine: "Engine", n_steps: int, proposers: Collection[Origin], *, length_known: bool = False
) -> Fill:
    def fill(case: Case) -> Answer:
        return best_of(
            fill_case(
                engine,
                case,
                n_steps=n_steps,
                length_known=length_known,
                proposers=tuple(proposers),
            )
        )

    return fill
