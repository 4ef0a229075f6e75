"""One case through every system. Knows no tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dgemma_ls.evaluation.cases import Case, CaseTokenizer
from dgemma_ls.evaluation.metrics import measure
from dgemma_ls.evaluation.systems import Answer, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One system's answer to one case, and what it is worth."""

    case: Case
    system: str
    answer: Answer
    milliseconds: float
    values: Mapping[str, float]


def ask(
    case: Case,
    systems: Sequence[System],
    tokenizer: CaseTokenizer,
    *,
    before_case: Sequence[Callable[[Case], None]] = (),
    clock: Callable[[], float] = time.perf_counter,
) -> list[Outcome]:
    """Give the outcomes of all systems for one case.

    Args:
        case: what to ask.
        systems: whom to ask.
        tokenizer: counts tokens.
        before_case: called once each before the systems, and not timed.
        clock: seconds.
    """
    for prepare in before_case:
        prepare(case)
    answers = [(system, *_timed(system, case, clock)) for system in systems]
    # Systems often agree, and to measure means to parse the whole file.
    texts = {answer.text for _, answer, _ in answers}
    values = {text: measure(case, text, tokenizer) for text in texts}
    return [
        Outcome(
            case=case,
            system=system.name,
            answer=answer,
            milliseconds=milliseconds,
            values=values[answer.text],
        )
        for system, answer, milliseconds in answers
    ]


def _timed(system: System, case: Case, clock: Callable[[], float]) -> tuple[Answer, float]:
    start = clock()
    answer = system.fill(case)
    return answer, (clock() - start) * 1000
