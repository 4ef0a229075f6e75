import io

import pytest

from dgemma_engine.train.progress import ProgressBar, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_on_a_terminal_one_line_is_written_over_and_left_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream, clock = Terminal(), Clock()
    with ProgressBar("shards", stream, clock) as bar:
        clock.now = 10.0
        bar(25, 100)
        bar.report("train: done")
        clock.now = 40.0
        bar(100, 100)
    drawn = stream.getvalue()
    assert "shards: [######..................]  25%, 30 s left" in drawn
    assert drawn.rstrip().endswith("[########################] 100%")
    assert "\n" not in drawn.removesuffix("\n")
    # The bar was blanked for the line, and drawn again behind it.
    assert "\r" + " " * 30 in drawn
    assert drawn.count("30 s left") == 2
    assert capsys.readouterr().out == "train: done\n"


def test_elsewhere_a_line_comes_every_half_minute_and_at_the_end() -> None:
    stream, clock = io.StringIO(), Clock()
    with ProgressBar("fetch", stream, clock) as bar:
        for second in range(1, 101):
            clock.now = float(second)
            bar(second, 100)
        bar(100, 100)  # once more, which is no news
    assert stream.getvalue().splitlines() == [
        "fetch:  30%, 70 s left",
        "fetch:  60%, 40 s left",
        "fetch:  90%, 10 s left",
        "fetch: 100%",
    ]


def test_no_estimate_is_made_of_nothing() -> None:
    stream, clock = Terminal(), Clock()
    with ProgressBar("corpus", stream, clock) as bar:
        clock.now = 5.0
        bar(0, 10)
        clock.now = 6.0
        bar(0, 0)
    assert "left" not in stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(7.4, "7 s"), (99, "99 s"), (150, "2 min")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
