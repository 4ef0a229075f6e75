"""One process or several: the same results in the same order. What is spawned stands up here."""

import os
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import pytest

from dgemma_ls.evaluation.pool import each
from dgemma_ls.files import FileError


def make_work() -> Callable[[int], tuple[int, int]]:
    made_by = os.getpid()
    return lambda item: (item * item, made_by)


def make_nothing() -> Callable[[int], int]:
    raise FileError("the file is gone")


def make_death() -> Callable[[int], int]:
    return lambda item: os._exit(1)


def threads_of_torch() -> Callable[[int], str | None]:
    return lambda item: os.environ.get("OMP_NUM_THREADS")


def test_one_job_works_here() -> None:
    assert list(each(make_work, [3, 1], n_jobs=1)) == [(9, os.getpid()), (1, os.getpid())]


def test_several_jobs_keep_the_order_and_set_up_once_each() -> None:
    results = list(each(make_work, range(20), n_jobs=2))
    assert [square for square, _ in results] == [item * item for item in range(20)]
    processes = {process for _, process in results}
    assert os.getpid() not in processes
    assert len(processes) <= 2


def test_other_processes_leave_torch_one_thread() -> None:
    assert list(each(threads_of_torch, [1], n_jobs=2)) == ["1"]


def test_what_goes_wrong_elsewhere_is_raised_here() -> None:
    with pytest.raises(FileError, match="the file is gone"):
        list(each(make_nothing, [1, 2], n_jobs=2))


def test_a_process_that_dies_does_not_hang_the_rest() -> None:
    with pytest.raises(BrokenProcessPool):
        list(each(make_death, [1, 2], n_jobs=2))


def test_whoever_stops_early_gets_what_was_done() -> None:
    results = each(make_work, range(1000), n_jobs=2)
    assert next(results)[0] == 0
    results.close()
