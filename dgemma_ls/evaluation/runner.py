"""Every case through every system, one case after the other. Knows no tables."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dgemma_ls.evaluation.cases import Case, CaseTokenizer
from dgemma_ls.evaluation.metrics import measure
from dgemma_ls.evaluation.systems import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One system's answer to one case, and what it is worth."""

    case: Case
    system: str
    text: str
    milliseconds: float
    values: Mapping[str, float]


def run(
    cases: Sequence[Case],
    systems: Sequence[System],
    tokenizer: CaseTokenizer,
    *,
    before_case: Callable[[Case], None],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of all systems for each case.

    Whoever stops in between has the same cases for every system.

    Args:
        cases: what to ask.
        systems: whom to ask.
        tokenizer: counts tokens.
        before_case: called once before the systems, and not timed.
        clock: seconds.
    """
    for case in cases:
        before_case(case)
        answers = [(system, *_timed(system, case, clock)) for system in systems]
        # Systems often agree, and to measure means to parse the whole file.
        values = {text: measure(case, text, tokenizer) for text in {a[1] for a in answers}}
        yield [
            Outcome(
                case=case,
                system=system.name,
                text=text,
                milliseconds=milliseconds,
                values=values[text],
            )
            for system, text, milliseconds in answers
        ]


def _timed(system: System, case: Case, clock: Callable[[], float]) -> tuple[str, float]:
    start = clock()
    text = system.fill(case)
    return text, (clock() - start) * 1000
