"""Each variant asks the engine for what its name says."""

from typing import Any, cast

from dgemma_engine.types import Candidate, InfillResult, Origin, StopReason
from dgemma_ls.evaluation.ablations import ABLATIONS, make_ablations
from tests.ls.evaluation.fakes import WordTokenizer, case

ASKED = case("def add(first, second):\n    return ├first + second┤\n")


class FakeEngine:
    """Remembers under which settings it was asked for what."""

    class Settings:
        clamps_known_at_once = True

    infill_settings = Settings()
    tokenizer = WordTokenizer("")

    def __init__(self, asked: list[dict[str, Any]], **settings: Any) -> None:
        self.asked, self.settings = asked, settings
        self.prefixes: set[str] = set()

    def with_infill_settings(self, **settings: Any) -> "FakeEngine":
        return FakeEngine(self.asked, **settings)

    def infill(self, prefix: str, suffix: str, **options: Any) -> InfillResult:
        self.asked.append(options | self.settings)
        candidate = Candidate(text="first + second", score=0.0, forwards=1, n_tokens=3)
        return InfillResult(
            candidates=(candidate,), stop=StopReason.STABLE, forwards=1, milliseconds=1.0
        )


def test_each_variant_changes_one_thing() -> None:
    asked: list[dict[str, Any]] = []
    systems = make_ablations(cast(Any, FakeEngine(asked)), n_steps=5)
    assert tuple(system.name for system in systems) == ABLATIONS
    for system in systems:
        assert system.fill(ASKED) == "first + second"

    by_name = dict(zip(ABLATIONS, asked, strict=True))
    assert all(options["lengths"] is None for options in asked)
    assert all(options["steps"] == 5 for options in asked)
    for name, origin in (
        ("no-copies", Origin.COPIED),
        ("no-causal", Origin.CONTINUED),
        ("no-denoiser", Origin.DENOISED),
    ):
        assert set(by_name[name]["proposers"]) == set(Origin) - {origin}
    assert by_name["no-statistics"]["document_weights"] == ()
    assert by_name["warm"]["warm_drafts"] == 2
    assert by_name["late-clamps"]["clamps_known_at_once"] is False
    assert by_name["denoiser-unknown"]["length_draws"] == 4
    assert by_name["denoiser-lengths"]["length_draws"] == 0
    assert by_name["denoiser-lengths"]["proposers"] == (Origin.DENOISED,)
