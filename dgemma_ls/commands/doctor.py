"""``dgemma-ls doctor``: see whether everything that is needed is there, and what to do if not."""

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from dgemma_ls.commands.arguments import EngineLoader
from dgemma_ls.commands.models import load_fault
from dgemma_ls.files import FileError
from dgemma_ls.languages import languages
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.models import MANIFEST_NAME, compare, model_folder, read_manifest
from dgemma_ls.snippets import EDITORS, snippet_for
from dgemma_ls.syntax import find_flaws
from dgemma_ls.version import VERSION

DESCRIPTION = (
    "Look at everything that the server needs: Python, torch, device and memory, the model's files "
    "and the parsers. Exit code 0: all is well, 1: something is not."
)

_PACKAGES = ("numpy", "safetensors", "tokenizers", "pygls", "lsprotocol", "tree-sitter")
_OLDEST_PYTHON = (3, 11)
_GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found about one thing.

    Attributes:
        name: what was looked at.
        good: whether it is as it has to be.
        detail: what is there, or what is wrong and what to do.
    """

    name: str
    good: bool
    detail: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``doctor``."""
    parser.add_argument("--model", metavar="MODEL", default=EMBEDDED, help="the model to look at")
    parser.add_argument(
        "--editor", choices=EDITORS, help="also print what to paste into this editor's settings"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Look at one thing after the other and report.

    Returns:
        0 when all is well, else 1.
    """
    findings = list(_look(args.model, load, quiet=args.json))
    good = all(finding.good for finding in findings)
    snippet = snippet_for(args.editor, _command()) if args.editor else None
    if args.json:
        print(
            json.dumps(
                {
                    "good": good,
                    "findings": [asdict(finding) for finding in findings],
                    "editor": None if snippet is None else asdict(snippet),
                }
            )
        )
    else:
        if snippet is not None:
            print(f"\n{args.editor}: {snippet.note}\nput into {snippet.where}:\n\n{snippet.text}")
        print("\nall is well" if good else "\nsomething is wrong; see the lines with a cross")
    return 0 if good else 1


def _look(model: str, load: EngineLoader, *, quiet: bool) -> Iterator[Finding]:
    looks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("dgemma-ls", _program),
        ("python", _python),
        ("packages", _packages),
        ("torch", _torch),
        ("device", _device),
        ("memory", _memory),
        ("model files", lambda: _model_files(model)),
        ("model", lambda: _model(model, load)),
        ("grammars", _grammars),
    )
    for name, look in looks:
        try:
            finding = look()
        except Exception as err:  # noqa: BLE001 - one sick organ must not end the examination
            finding = Finding(name=name, good=False, detail=f"{type(err).__name__}: {err}")
        if not quiet:
            mark = "✓" if finding.good else "✗"
            print(f"{mark} {finding.name:<12} {finding.detail}", flush=True)
        yield finding


def _program() -> Finding:
    return Finding(name="dgemma-ls", good=True, detail=f"{VERSION} at {_command()}")


def _python() -> Finding:
    good = sys.version_info >= _OLDEST_PYTHON
    wanted = "" if good else f"; needs {'.'.join(map(str, _OLDEST_PYTHON))} or later"
    detail = f"{platform.python_version()} ({sys.executable}) on {platform.platform()}{wanted}"
    return Finding(name="python", good=good, detail=detail)


def _packages() -> Finding:
    found, missing = [], []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        detail = f"{', '.join(missing)} missing; install dgemma-ls again"
        return Finding(name="packages", good=False, detail=detail)
    return Finding(name="packages", good=True, detail=", ".join(found))


def _torch() -> Finding:
    import torch

    cuda = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    detail = f"{torch.__version__} ({cuda}), {torch.get_num_threads()} threads"
    return Finding(name="torch", good=True, detail=detail)


def _device() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding(name="device", good=True, detail="cpu; no GPU that torch can use")
    rows = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        rows.append(f"cuda:{index} {name}, {free / _GIB:.1f} of {total / _GIB:.1f} GiB free")
    return Finding(name="device", good=True, detail="; ".join(rows))


def _memory() -> Finding:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = (page * os.sysconf(f"SC_{n}PHYS_PAGES") for n in ("", "AV"))
    except (AttributeError, ValueError, OSError):  # not on this system
        return Finding(name="memory", good=True, detail="unknown on this system")
    detail = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free, {os.cpu_count()} processors"
    return Finding(name="memory", good=True, detail=detail)


def _model_files(model: str) -> Finding:
    try:
        folder = model_folder(model)
        states = compare(folder)
    except FileError as err:
        return Finding(name="model files", good=False, detail=str(err))
    bad = [state.name for state in states if state.expected is not None and not state.is_good]
    if bad:
        detail = f"{', '.join(bad)} in {folder} is not what it was; fetch or install it again"
        return Finding(name="model files", good=False, detail=detail)
    weights = "; ".join(
        f"{state.name} sha256 {state.sha256}"
        for state in states
        if state.name.endswith(".safetensors")
    )
    compared = "as listed" if read_manifest(folder) else f"no {MANIFEST_NAME} to compare with"
    return Finding(name="model files", good=True, detail=f"{folder}: {weights} ({compared})")


def _model(model: str, load: EngineLoader) -> Finding:
    try:
        folder = model_folder(model)
    except FileError as err:
        return Finding(name="model", good=False, detail=str(err))
    fault = load_fault(model if model == EMBEDDED else str(folder), load)
    detail = fault or "loads; every tensor is there and used"
    return Finding(name="model", good=fault is None, detail=detail)


def _grammars() -> Finding:
    broken = []
    for language in languages():
        try:
            find_flaws(language, "x")
        except Exception as err:  # noqa: BLE001 - a wheel can fail in many ways
            broken.append(f"{language} ({type(err).__name__})")
    if broken:
        detail = f"{', '.join(broken)} cannot be loaded; install dgemma-ls again"
        return Finding(name="grammars", good=False, detail=detail)
    return Finding(name="grammars", good=True, detail=", ".join(languages()))


def _command() -> str:
    """The program as an editor can start it: from the same environment, else from the path."""
    beside = shutil.which("dgemma-ls", path=os.path.dirname(sys.executable))
    return beside or shutil.which("dgemma-ls") or "dgemma-ls"
