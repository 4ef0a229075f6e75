"""Figures in tables and as JSON."""

import json

from dgemma_ls.evaluation.summary import (
    Metric,
    Summary,
    as_text,
    lay_out,
    mean_figure,
    ratio_figure,
    to_json,
)

FIGURES = (
    *mean_figure("1", "right", [1.0, 0.0], ["a", "b"], seed=0),
    *ratio_figure("1", "tokens", [3.0, 9.0], [0.0, 6.0], ["a", "a"], seed=0),
    *mean_figure("2", "right", [1.0], ["a"], seed=0),
    *ratio_figure("2", "tokens", [1.0], [0.0], ["a"], seed=0),
    *mean_figure("3", "other", [1.0], ["a"], seed=0),
)
SUMMARY = Summary(
    task="t",
    settings={"model": "m", "told": True},
    clusters="files",
    figures=FIGURES,
    notes=("a note",),
)
METRICS = {
    "right": Metric(title="right"),
    "tokens": Metric(title="tokens", is_share=False),
    "never": Metric(title="never"),
}


def test_what_there_is_nothing_to_say_of_has_no_figure() -> None:
    assert [(f.group, f.metric, f.n_cases, f.n_clusters) for f in FIGURES] == [
        ("1", "right", 2, 2),
        ("1", "tokens", 1, 1),
        ("2", "right", 1, 1),
        ("3", "other", 1, 1),
    ]


def test_a_table_has_the_groups_and_metrics_that_have_figures() -> None:
    table = lay_out(SUMMARY, "title", {"2": "two", "1": "one", "3": "three"}, METRICS)

    assert table.header == ("", "two", "one")
    assert table.rows == (
        ("cases in files", "1 in 1", "2 in 2"),
        ("right, %", "100.0 [100, 100]", "50.0 [0, 100]"),
        ("tokens", "-", "2.000 [2.00, 2.00]"),
    )
    text = as_text(SUMMARY, [table])
    assert text.startswith("model m, told yes\na note\n\ntitle [95 % interval]\n")


def test_json_has_it_all() -> None:
    values = json.loads(to_json(SUMMARY))
    assert values["settings"] == {"model": "m", "told": True}
    assert values["figures"][0]["interval"]["mean"] == 0.5
