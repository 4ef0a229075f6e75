"""What a run says of itself."""

import io

from dgemma_ls.evaluation.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(stream: io.StringIO, *seconds: float, n_cases: int = 10) -> str:
    """Progress after case 1, 2, … at these times."""
    now = iter((0.0, *seconds))
    progress = Progress(n_cases, stream, clock=lambda: next(now))
    for n_done in range(1, len(seconds) + 1):
        progress.show(n_done)
    progress.end()
    return stream.getvalue()


def test_a_terminal_sees_every_case_on_one_line_with_the_time_left() -> None:
    said = show(Terminal(), 2.0, 4.0)
    assert said.count("\n") == 1
    assert said.split("\r")[2].startswith("2/10 cases, 2.00 s each, 16 s left")


def test_a_log_gets_a_line_now_and_then_and_at_the_end() -> None:
    said = show(io.StringIO(), 10.0, 31.0, 40.0, 70.0, n_cases=4)
    assert [line.split(" ")[0] for line in said.splitlines()] == ["2/4", "4/4"]


def test_what_is_counted_has_a_name() -> None:
    stream = io.StringIO()
    progress = Progress(1, stream, clock=lambda: 0.0, noun="windows")
    progress.show(1)
    assert "1/1 windows" in stream.getvalue()


def test_long_runs_are_told_in_minutes() -> None:
    assert "15 min left" in show(Terminal(), 100.0)
