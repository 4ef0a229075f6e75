"""Out of memory: what is given up, and what is said."""

import pytest
import torch

from dgemma_engine import OutOfMemoryError
from dgemma_engine.engine import Engine
from dgemma_engine.infill import infiller
from dgemma_engine.infill.fill import fill_rows
from dgemma_engine.memory import within_memory
from tests.engine.conftest import Pair

CPU = torch.device("cpu")


def out_of_memory(*args: object, **kwargs: object) -> str:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def cpu_out_of_memory() -> str:
    raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize("work", [out_of_memory, cpu_out_of_memory])
def test_less_is_tried_once_after_what_can_be_made_again_is_forgotten(work: object) -> None:
    did: list[str] = []

    def smaller() -> str:
        did.append("smaller")
        return "done"

    forget = lambda: did.append("forget")  # noqa: E731
    assert within_memory(work, smaller, device=CPU, forget=forget) == "done"  # type: ignore[arg-type]
    assert did == ["forget", "smaller"]


def test_without_memory_for_less_one_sentence_says_so() -> None:
    with pytest.raises(OutOfMemoryError, match="cpu has no memory left; end what") as caught:
        within_memory(out_of_memory, out_of_memory, device=CPU, forget=lambda: None)
    assert caught.value.device == "cpu"


def test_other_errors_are_not_touched() -> None:
    def wrong() -> str:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        within_memory(wrong, wrong, device=CPU, forget=lambda: None)


def test_infill_goes_on_with_one_canvas(textual: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Engine = textual.engine
    engine.infill("x = [", "]\n", lengths=(1, 2))
    n_rows: list[int] = []

    def crowded(model: object, kv: object, plan: object, *args: object, **kwargs: object) -> object:
        n_rows.append(len(plan.rows))  # type: ignore[attr-defined]
        if len(plan.rows) > 1:  # type: ignore[attr-defined]
            out_of_memory()
        return fill_rows(model, kv, plan, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(infiller, "fill_rows", crowded)
    result = engine.infill("x = [", "]\n", lengths=(1, 2))

    assert n_rows[0] > 1
    assert n_rows[1:] == [1]
    assert len(result.candidates) == 1
