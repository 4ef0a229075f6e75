"""The shipped way with one part taken out or changed: what each part of it is worth."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from dgemma_engine.types import Origin
from dgemma_ls.evaluation.cases import Case
from dgemma_ls.evaluation.systems import System, fill_case

if TYPE_CHECKING:
    from dgemma_engine import Engine

Fill = Callable[[Case], str]

ABLATIONS = (
    "no-copies",
    "no-causal",
    "no-denoiser",
    "no-statistics",
    "warm",
    "late-clamps",
    "denoiser-unknown",
    "denoiser-lengths",
)
"""Names of the systems that :func:`make_ablations` makes."""


def make_ablations(engine: "Engine", *, n_steps: int) -> list[System]:
    """Give the variants, none of which is told a span's length.

    Args:
        engine: whose public ``infill`` is asked, under the settings that a variant needs.
        n_steps: denoising steps at most.
    """

    def without(origin: Origin) -> Fill:
        return _fill(engine, n_steps, [one for one in Origin if one is not origin])

    def under(proposers: Collection[Origin] = tuple(Origin), **settings: Any) -> Fill:
        return _fill(engine.with_infill_settings(**settings), n_steps, proposers)

    denoised = (Origin.DENOISED,)
    # Clamps that are self-conditioned on themselves at once, or from the second step on.
    known_at_once = engine.infill_settings.clamps_known_at_once
    variants = {
        "no-copies": ("without copies", without(Origin.COPIED)),
        "no-causal": ("without causal paths", without(Origin.CONTINUED)),
        "no-denoiser": ("without the denoiser", without(Origin.DENOISED)),
        "no-statistics": ("without document statistics", under(document_weights=())),
        "warm": ("with canvases from drafts", under(warm_drafts=2)),
        "late-clamps": (
            f"clamps known {'a step later' if known_at_once else 'at once'}",
            under(clamps_known_at_once=not known_at_once),
        ),
        "denoiser-unknown": ("denoiser, 3 lengths by signals", under(denoised, length_draws=4)),
        "denoiser-lengths": ("denoiser, all lengths", under(denoised, length_draws=0)),
    }
    assert tuple(variants) == ABLATIONS
    return [
        System(name=name, title=title, is_baseline=False, fill=fill)
        for name, (title, fill) in variants.items()
    ]


def _fill(engine: "Engine", n_steps: int, proposers: Collection[Origin]) -> Fill:
    def fill(case: Case) -> str:
        engine.prefixes.clear()  # so that no case depends on those before it
        result = fill_case(
            engine, case, n_steps=n_steps, length_known=False, proposers=tuple(proposers)
        )
        return result.candidates[0].text if result.candidates else ""

    return fill
