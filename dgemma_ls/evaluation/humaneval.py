"""HumanEval-Infilling: gaps in functions whose tests say whether a fill is right.

The data (openai/human-eval-infilling, MIT) is no part of the package; the user names its folder.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgemma_ls.evaluation.rows import Row, read_rows
from dgemma_ls.evaluation.sandbox import Verdict, run_program
from dgemma_ls.evaluation.summary import Figure, Metric, mean_figure
from dgemma_ls.files import FileError
from dgemma_ls.syntax import find_flaws

if TYPE_CHECKING:
    from dgemma_engine import Engine

METRICS = {
    "passed": Metric(title="passed"),
    "passed_any": Metric(title="passed, any of the samples of a gap"),
    "failed": Metric(title="failed"),
    "timed_out": Metric(title="timed out"),
    "exact_match": Metric(title="exact match"),
    "parse_rate": Metric(title="parse rate of answers"),
    "answered": Metric(title="answered"),
}

_TASK = re.compile(r"HumanEval/\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A part of the benchmark.

    Attributes:
        file: its name, without ``.gz``.
        multiline: whether a fill may have several lines.
        line_end: what every gap ends with and the engine is not asked for: where whole lines are
            missing, the break of the last one.
    """

    file: str
    multiline: bool
    line_end: str


SPLITS = {
    "single-line": Split(
        file="HumanEval-SingleLineInfilling.jsonl", multiline=False, line_end="\n"
    ),
    "random-span-light": Split(
        file="HumanEval-RandomSpanInfillingLight.jsonl", multiline=True, line_end=""
    ),
}
"""By the name that the command line takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One gap.

    Attributes:
        task_id: its name, unique in the split.
        entry_point: the function that is tested.
        prefix: text before the gap.
        truth: what was cut out.
        suffix: text after it.
        test: code that defines ``check``.
    """

    task_id: str
    entry_point: str
    prefix: str
    truth: str
    suffix: str
    test: str

    @property
    def base_task(self) -> str:
        """The function that the gap was cut into; gaps in one function depend on each other."""
        found = _TASK.search(self.task_id)
        return found[0] if found else self.task_id

    def program(self, fill: str) -> str:
        """Give the program that runs to its end if the fill is right."""
        function = self.prefix + fill + self.suffix
        return f"{function}\n{self.test}\ncheck({self.entry_point})\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One fill and how its program ended."""

    fill: str
    verdict: Verdict


def read_problems(folder: Path, split: str) -> list[Problem]:
    """Read a split from the benchmark's folder, gzipped or not.

    Raises:
        FileError: it is not there or damaged, or two rows have one name.
    """
    name = SPLITS[split].file
    found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
    if not found:
        raise FileError(
            f"{folder} has no {name} or {name}.gz; fetch it from"
            " github.com/openai/human-eval-infilling (data/) and name its folder with --data"
        )
    problems = [_problem(row, SPLITS[split]) for row in read_rows(found[0])]
    if len({problem.task_id for problem in problems}) < len(problems):
        raise FileError(f"{found[0]} has a task_id twice; fetch it again")
    return problems


def gold(problem: Problem) -> Sample:
    """Run the benchmark's own solution: what tells whether the sandbox is fair."""
    return _tried(problem, problem.truth)


def ask(
    engine: "Engine",
    problem: Problem,
    split: str,
    *,
    seed: int,
    n_steps: int | None,
    length_known: bool,
) -> Sample:
    """Let the engine fill a gap and run the result.

    Args:
        engine: whose public ``infill`` is asked.
        problem: the gap.
        split: its split's name.
        seed: of the fill.
        n_steps: denoising steps at most; ``None`` for the checkpoint's.
        length_known: whether to tell the gap's length in tokens; one that no canvas holds is told
            as the longest that one does.
    """
    kind = SPLITS[split]
    suffix = kind.line_end + problem.suffix
    lengths = None
    if length_known:
        truth = problem.truth.removesuffix(kind.line_end)
        n_tokens = engine.span_tokens(problem.prefix, truth)
        lengths = (max(1, min(n_tokens, engine.max_span_tokens)),)
    engine.prefixes.clear()  # so that no gap depends on those before it, not even by rounding
    result = engine.infill(
        problem.prefix,
        suffix,
        lengths=lengths,
        multiline=kind.multiline,
        n_candidates=1,
        steps=n_steps,
        seed=seed,
    )
    text = result.candidates[0].text if result.candidates else ""
    return _tried(problem, text + kind.line_end)


def sum_up(
    split: str,
    problems: Sequence[Problem],
    samples: Mapping[str, Sequence[Sample]],
    *,
    seed: int,
) -> list[Figure]:
    """Give the figures of the problems that have samples, by task_id."""
    done = [problem for problem in problems if problem.task_id in samples]
    tasks = [problem.base_task for problem in done]
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    answers: list[tuple[str, float]] = []
    for problem in done:
        of_problem = samples[problem.task_id]
        for verdict in Verdict:
            n_ended_so = sum(sample.verdict is verdict for sample in of_problem)
            values[verdict.name.lower()].append(n_ended_so / len(of_problem))
        values["passed_any"].append(float(any(s.verdict is Verdict.PASSED for s in of_problem)))
        n_exact = sum(sample.fill == problem.truth for sample in of_problem)
        values["exact_match"].append(n_exact / len(of_problem))
        given = [sample.fill for sample in of_problem if sample.fill.strip()]
        values["answered"].append(len(given) / len(of_problem))
        answers += [(problem.base_task, float(_parses(problem, fill))) for fill in given]
    if all(len(of_problem) == 1 for of_problem in samples.values()):
        values["passed_any"] = []  # the same as the mean
    values["parse_rate"] = [parses for _, parses in answers]
    figures: list[Figure] = []
    for name, of_metric in values.items():
        clusters = [task for task, _ in answers] if name == "parse_rate" else tasks
        figures += mean_figure(split, name, of_metric, clusters, seed=seed)
    return figures


def sample_to_json(sample: Sample) -> dict[str, Any]:
    """Give a sample for a program; :func:`sample_from_json` reads it."""
    return {"fill": sample.fill, "outcome": sample.verdict.value}


def sample_from_json(values: Mapping[str, Any]) -> Sample:
    """Read what :func:`sample_to_json` gave.

    Raises:
        ValueError: it is something else.
    """
    fill = values.get("fill")
    if not isinstance(fill, str):
        raise ValueError(f"{fill!r} is no fill")
    return Sample(fill=fill, verdict=Verdict(values.get("outcome")))


def _problem(row: Row, split: Split) -> Problem:
    problem = Problem(
        task_id=row.text("task_id"),
        entry_point=row.text("entry_point"),
        prefix=row.text("prompt"),
        truth=row.text("canonical_solution"),
        suffix=row.text("suffix"),
        test=row.text("test"),
    )
    if not problem.truth.endswith(split.line_end):
        raise FileError(
            f'{row.path}:{row.number}: "canonical_solution" must end with a line break, as all of'
            f" {split.file} do"
        )
    return problem


def _tried(problem: Problem, fill: str) -> Sample:
    return Sample(fill=fill, verdict=run_program(problem.program(fill)))


def _parses(problem: Problem, fill: str) -> bool:
    return not find_flaws("python", problem.prefix + fill + problem.suffix)
