"""Each variant asks the engine for what its name says, and for nothing else that is different."""

from typing import Any, cast

from dgemma_engine.types import Candidate, InfillResult, Origin, StopReason
from dgemma_ls.evaluation.ablations import ABLATIONS, make_ablations
from dgemma_ls.evaluation.systems import ENGINE_SYSTEMS
from tests.ls.evaluation.fakes import WordTokenizer, case

ASKED = case("def add(first, second):\n    return ├first + second┤\n")


class FakeEngine:
    """Remembers under which settings it was asked for what."""

    class Settings:
        clamps_known_at_once = True

    infill_settings = Settings()
    tokenizer = WordTokenizer("")

    def span_tokens(self, prefix: str, text: str) -> int:
        return 9

    def __init__(self, asked: list[dict[str, Any]], **settings: Any) -> None:
        self.asked, self.settings = asked, settings

    def with_infill_settings(self, **settings: Any) -> "FakeEngine":
        return FakeEngine(self.asked, **settings)

    def infill(self, prefix: str, suffix: str, **options: Any) -> InfillResult:
        self.asked.append(options | self.settings)
        candidate = Candidate(text="first + second", score=0.0, forwards=1, n_tokens=3)
        return InfillResult(
            candidates=(candidate,),
            stop=StopReason.STABLE,
            forwards=4,
            milliseconds=1.0,
            token_forwards=192,
        )


def test_each_variant_changes_one_thing() -> None:
    asked: list[dict[str, Any]] = []
    systems = make_ablations(cast(Any, FakeEngine(asked)), n_steps=5)
    assert tuple(system.name for system in systems) == ABLATIONS
    for system in systems:
        answer = system.fill(ASKED)
        assert (answer.text, answer.forwards, answer.token_forwards) == ("first + second", 4, 192)

    by_name = dict(zip(ABLATIONS, asked, strict=True))
    for name, options in by_name.items():
        assert options["lengths"] == ((9,) if name.endswith("-rows") else None)
    assert all(options["steps"] == 5 for options in asked)
    for name, left_out in (
        ("no-copies", {Origin.COPIED}),
        ("no-causal", {Origin.CONTINUED, Origin.BRIDGED}),
        ("no-bridges", {Origin.BRIDGED}),
        ("no-denoiser", {Origin.DENOISED}),
    ):
        assert set(by_name[name]["proposers"]) == set(Origin) - left_out
    assert by_name["no-statistics"]["document_weights"] == ()
    assert by_name["warm"]["warm_drafts"] == 2
    assert by_name["late-clamps"]["clamps_known_at_once"] is False
    assert by_name["no-judge"]["judges"] is False
    assert by_name["no-healing"]["heals"] is False
    assert by_name["refined"]["refine_radius"] == 2


def test_variants_of_the_denoiser_differ_from_it_in_one_setting() -> None:
    asked: list[dict[str, Any]] = []
    for system in make_ablations(cast(Any, FakeEngine(asked)), n_steps=5):
        system.fill(ASKED)
    by_name = dict(zip(ABLATIONS, asked, strict=True))
    alone = by_name["denoiser-unknown"]
    assert alone["proposers"] == (Origin.DENOISED,)
    assert alone["length_draws"] == 4
    for name, (setting, value) in {
        "denoiser-margin": ("length_signals", "margin"),
        "denoiser-certainty": ("length_signals", "certainty"),
        "denoiser-lengths": ("length_draws", 0),
        "denoiser-refined": ("refine_radius", 2),
        "denoiser-no-judge": ("judges", False),
    }.items():
        assert by_name[name] == alone | {setting: value}
    for name, value in (("denoiser-own-rows", "own"), ("denoiser-zero-rows", "nothing")):
        assert by_name[name] == alone | {"lengths": (9,), "clamps_as": value}


def test_what_a_variant_varies_is_measured_beside_it() -> None:
    names = {*ENGINE_SYSTEMS, *ABLATIONS}
    made = make_ablations(cast(Any, FakeEngine([])), n_steps=5)
    assert all(s.variant_of in names for s in made if s.name != "denoiser-unknown")
    assert {s.variant_of for s in made if s.name.startswith("no-")} == {"shipped-unknown"}
