"""From cases through systems to tables."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import count

from dgemma_ls.evaluation.cases import Case, draw_cases
from dgemma_ls.evaluation.report import Report, make_report, to_json
from dgemma_ls.evaluation.runner import ask
from dgemma_ls.evaluation.statistics import Spread
from dgemma_ls.evaluation.systems import Answer, System
from dgemma_ls.evaluation.tables import as_markdown, as_text, tables
from tests.ls.evaluation.fakes import WordTokenizer, document

DOCUMENTS = [document("pkg/a.py"), document("pkg/b.py", 40)]
TOKENIZER = WordTokenizer(*(one.text for one in DOCUMENTS))
CASES = draw_cases(DOCUMENTS, TOKENIZER, buckets=("1", "rest"), n_per_bucket=8, seed=0)


def system(
    name: str,
    fill: Callable[[Case], str],
    *,
    is_baseline: bool = False,
    variant_of: str = "",
    forwards: int | None = None,
) -> System:
    def answer(case: Case) -> Answer:
        n_tokens = None if forwards is None else 48 * forwards
        return Answer(text=fill(case), forwards=forwards, token_forwards=n_tokens)

    return System(
        name=name,
        title=f"the {name}",
        is_baseline=is_baseline,
        fill=answer,
        variant_of=variant_of,
    )


SYSTEMS = [
    system("perfect", lambda case: case.truth),
    system("empty", lambda case: ""),
    system("half", lambda case: case.truth if case.bucket == "1" else "", is_baseline=True),
    system("worse", lambda case: "", is_baseline=True),
]


def report(n_cases: int = len(CASES), systems: Sequence[System] = SYSTEMS) -> Report:
    ticks = count()
    outcomes = [
        outcome
        for case in CASES[:n_cases]
        for outcome in ask(case, systems, TOKENIZER, clock=lambda: float(next(ticks)))
    ]
    return make_report(outcomes, systems, model="m", data="d", seed=0, notes=["a note"])


def test_a_perfect_system_scores_full_marks_and_an_empty_one_none() -> None:
    means = {(s.system, s.metric): set() for s in report().scores}
    for score in report().scores:
        means[score.system, score.metric].add(score.interval.mean)

    assert {v for (name, _), values in means.items() if name == "perfect" for v in values} == {1.0}
    assert {v for (name, _), values in means.items() if name == "empty" for v in values} == {0.0}
    assert ("empty", "parse_rate") not in means


def test_every_system_gets_every_case_and_its_own_time() -> None:
    result = report()
    exact = [score for score in result.scores if score.metric == "exact_match"]

    assert {(s.system, s.bucket) for s in exact} == {
        (system.name, bucket) for system in SYSTEMS for bucket in ("1", "rest")
    }
    assert {score.n_cases for score in exact} == {8}
    assert [cost.system for cost in result.costs] == [system.name for system in SYSTEMS]
    assert {cost.milliseconds for cost in result.costs} == {Spread(median=1000.0, p90=1000.0)}
    assert {cost.forwards for cost in result.costs} == {None}


def test_differences_are_to_the_best_baseline_of_each_bucket() -> None:
    found = {(d.system, d.bucket): d for d in report().differences}

    assert found["perfect", "1"].baseline == "half"
    assert found["perfect", "1"].interval.mean == 0.0
    assert found["empty", "1"].interval.mean == -1.0
    assert found["perfect", "rest"].interval.low == 1.0
    assert ("half", "1") not in found
    assert found["worse", "1"].interval.mean == -1.0


def test_a_cost_is_the_median_and_what_nine_in_ten_stay_below() -> None:
    of_case = count(1)
    counted = System(
        name="counted",
        title="counted",
        is_baseline=False,
        fill=lambda case: Answer(text="", forwards=(n := next(of_case)), token_forwards=n * n),
    )
    (cost,) = report(n_cases=11, systems=[counted]).costs
    assert cost.forwards == Spread(median=6.0, p90=10.0)
    assert cost.token_forwards == Spread(median=36.0, p90=100.0)
    row = tables(report(n_cases=1, systems=[system("one", lambda case: "", forwards=4)]))[-1].rows
    assert row == (("the one", "1000.0", "1000.0", "4", "4", "192", "192"),)


def test_a_variant_is_compared_with_what_it_varies() -> None:
    whole, part = SYSTEMS[0], system("part", lambda case: "", variant_of="perfect")
    orphan = system("orphan", lambda case: "", variant_of="elsewhere")
    result = report(systems=[whole, part, orphan])

    assert [(d.system, d.baseline) for d in result.effects] == [("part", "perfect")] * 2
    assert {d.interval.mean for d in result.effects} == {-1.0}
    (table,) = (t for t in tables(result) if "varies" in t.title)
    assert table.rows == (("the part", *["-100.0 [-100, -100]"] * 2, "the perfect"),)


def test_json_has_all_that_the_report_has() -> None:
    systems = [*SYSTEMS, system("part", lambda case: "", variant_of="half", forwards=3)]
    result = report(systems=systems)
    values = json.loads(to_json(result))
    assert set(values) == set(Report.__slots__)
    for key in ("scores", "differences", "effects", "costs"):
        rows = getattr(result, key)
        assert values[key] == [asdict(row) for row in rows]
        assert rows


def test_tables_say_what_the_report_holds() -> None:
    result = report()
    exact, differences = tables(result)[:2]

    assert exact.header == ("", "1", "rest of line")
    assert exact.rows[0] == ("the perfect", "100.0 [100, 100]", "100.0 [100, 100]")
    assert differences.rows[0] == ("best baseline", "half", "half")
    for rendered in (as_text(result), as_markdown(result)):
        assert "a note" in rendered
        assert "1: 8 in 2" in rendered
        assert "the worse" in rendered


def test_what_not_knowing_the_length_costs_has_a_table() -> None:
    told, half = system("shipped", lambda case: case.truth), SYSTEMS[2]
    unknown = system("shipped-unknown", lambda case: half.fill(case).text)
    costs = tables(report(systems=[told, unknown]))[1]

    assert costs.title.startswith("exact match, any length / told the length")
    assert costs.rows == (("the shipped", "100.0", "0.0"),)
    nothing_told = [system("shipped", lambda case: ""), unknown]
    assert tables(report(systems=nothing_told))[1].rows == (("the shipped", "-", "-"),)


def test_what_comes_before_a_case_is_asked_once_and_not_timed() -> None:
    said: list[str] = []
    told = system("told", lambda case: str(said.append("fill")))
    ask(
        CASES[0],
        [told, told],
        TOKENIZER,
        before_case=[lambda case: said.append("before")],
        clock=lambda: float(said.append("clock") or 0),
    )
    assert said == ["before", *["clock", "fill", "clock"] * 2]


def test_markdown_rows_have_as_many_cells_as_their_header() -> None:
    for block in as_markdown(report()).split("\n\n"):
        rows = [line for line in block.split("\n") if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


def test_a_run_cut_short_is_reported_as_far_as_it_got() -> None:
    result = report(n_cases=1)
    assert result.buckets == ("1",)
    assert {score.n_cases for score in result.scores} == {1}
    assert "1: 1 in 1" in as_text(result)
