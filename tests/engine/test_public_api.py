"""The names that others rely on, and that importing them costs nothing."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dgemma_engine
from dgemma_engine import errors, types


def test_all_is_sorted_and_every_name_in_it_exists() -> None:
    assert dgemma_engine.__all__ == sorted(set(dgemma_engine.__all__))
    for name in dgemma_engine.__all__:
        assert getattr(dgemma_engine, name).__name__ == name
    assert dir(dgemma_engine) == dgemma_engine.__all__


def test_nothing_of_ours_is_public_without_being_in_all() -> None:
    ours = {
        name
        for name, value in vars(dgemma_engine).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and str(getattr(value, "__module__", "")).startswith("dgemma_engine")
    }
    assert ours <= set(dgemma_engine.__all__)


@pytest.mark.parametrize("module", [errors, types])
def test_every_error_and_every_value_is_public(module: object) -> None:
    ours = {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == getattr(module, "__name__", None)
    }
    assert ours <= set(dgemma_engine.__all__)


def test_every_error_is_an_engine_error() -> None:
    names = [name for name in dgemma_engine.__all__ if name.endswith("Error")]
    assert len(names) >= 7
    for name in names:
        assert issubclass(getattr(dgemma_engine, name), dgemma_engine.EngineError)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Motor'"):
        _ = dgemma_engine.Motor


def run(program: str) -> str:
    root = Path(dgemma_engine.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_importing_the_package_and_its_values_does_not_import_torch() -> None:
    program = """if True:
        import sys, dgemma_engine
        from dgemma_engine import CancelToken, EngineError, EngineWorker, InfillResult, Priority
        dir(dgemma_engine)
        heavy = {"torch", "numpy", "safetensors", "tokenizers", "transformers"}
        print(sorted(heavy & set(sys.modules)))
        """
    assert run(program) == "[]\n"


def test_the_planner_does_not_import_torch() -> None:
    program = """if True:
        import sys, dgemma_engine.infill.planner
        print("torch" in sys.modules)
        """
    assert run(program) == "False\n"


def test_signatures_are_those_that_were_promised() -> None:
    def parameters(function: object) -> list[str]:
        assert callable(function)
        return [
            ("*" if value.kind is value.KEYWORD_ONLY else "") + name
            for name, value in inspect.signature(function).parameters.items()
        ]

    engine = dgemma_engine.Engine
    assert parameters(dgemma_engine.load) == ["checkpoint", "*device", "*dtype"]
    assert parameters(engine.encode) == ["self", "token_ids"]
    assert parameters(engine.denoise) == ["self", "cache", "canvas", "self_conditioning"]
    assert parameters(engine.generate) == [
        "self",
        "token_ids",
        "*max_new_tokens",
        "*steps",
        "*seed",
        "*on_step",
    ]
    assert parameters(engine.infill)[:3] == ["self", "prefix", "suffix"]
    defaults = inspect.signature(dgemma_engine.load).parameters
    assert [defaults[name].default for name in ("checkpoint", "device", "dtype")] == [
        "embedded",
        "auto",
        "auto",
    ]
    generate = inspect.signature(engine.generate).parameters
    assert (generate["steps"].default, generate["seed"].default) == (48, 0)


def test_impossible_devices_and_dtypes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "diffusion_gemma"}')
    with pytest.raises(dgemma_engine.DeviceError, match="'warp'"):
        dgemma_engine.load(tmp_path, device="warp")
    with pytest.raises(dgemma_engine.RequestError, match="'int4'"):
        dgemma_engine.load(tmp_path, device="cpu", dtype="int4")
