"""``dgemma-ls models``: which models are there, fetch one, see that one is whole."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from dgemma_ls.commands.arguments import EngineLoader, InputError
from dgemma_ls.commands.progress import busy
from dgemma_ls.loading import EMBEDDED, load_engine
from dgemma_ls.models import (
    MANIFEST_NAME,
    FileState,
    compare,
    find_models,
    model_files,
    model_folder,
    models_folder,
    read_manifest,
    write_manifest,
)

DESCRIPTION = "List, fetch and verify models. Only `models get` uses the network."

# Weights and what describes them; nothing that could be run.
_WANTED = ("*.safetensors", "*.json", "LICENSE*", "README.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``models``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the models that are on this machine")
    listing.add_argument("--json", action="store_true", help="print JSON")
    fetch = actions.add_parser(
        "get", help="fetch one from a model hub", description="Fetch a model from a model hub."
    )
    fetch.add_argument("repository", metavar="OWNER/NAME", help="its name there")
    fetch.add_argument("--revision", metavar="REV", help="a branch, tag or commit")
    fetch.add_argument("--to", metavar="DIR", type=Path, help="where to put it")
    fetch.add_argument("--endpoint", metavar="URL", help="another hub of the same layout")
    verify = actions.add_parser(
        "verify",
        help="see that a model is whole",
        description=f"Compare a model's files with its manifest {MANIFEST_NAME}, and load it: each "
        "tensor must be there, have its shape, and be used. Exit code 0: whole, 1: not.",
    )
    verify.add_argument(
        "model", metavar="MODEL", nargs="?", default=EMBEDDED, help="a folder or a listed name"
    )
    verify.add_argument(
        "--write", action="store_true", help="write the manifest of the files as they are now"
    )
    verify.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, *, load: EngineLoader = load_engine) -> int:
    """Do what the action says.

    Raises:
        FileError: if a file cannot be read or written.
        InputError: if a model cannot be fetched.
        EngineError: never of ``verify``, which reports it.
    """
    if args.action == "list":
        return _list(as_json=args.json)
    if args.action == "get":
        return _get(args)
    return _verify(args, load)


def _list(*, as_json: bool) -> int:
    rows = [
        {
            "name": name,
            "folder": str(folder),
            "bytes": sum(path.stat().st_size for path in model_files(folder)),
            "manifest": bool(read_manifest(folder)),
        }
        for name, folder in find_models()
    ]
    if as_json:
        print(json.dumps(rows))
        return 0
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {_size(row['bytes']):>9}  {row['folder']}")
    return 0


def _get(args: argparse.Namespace) -> int:
    parts = args.repository.split("/")
    if len(parts) != 2 or not all(part.strip(".") for part in parts):
        raise InputError(f"{args.repository!r} is not OWNER/NAME")
    folder = args.to or models_folder() / args.repository
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when the package is imported
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as err:
        raise InputError(
            "models get needs one more package: pip install dgemma-ls[models]"
        ) from err
    api = HfApi(endpoint=args.endpoint)
    try:
        info = api.model_info(args.repository, revision=args.revision, files_metadata=True)
        api.snapshot_download(
            args.repository, revision=info.sha, local_dir=folder, allow_patterns=list(_WANTED)
        )
    except (HfHubHTTPError, OSError, ValueError) as err:
        words = str(err).strip().splitlines() or [type(err).__name__]
        raise InputError(f"cannot fetch {args.repository}: {words[0]}") from err
    _compare_with_hub(folder, info)
    write_manifest(folder)
    print(f"fetched {args.repository} at {info.sha} to {folder}")
    print(f'use it with the setting "model": {json.dumps(str(folder.absolute()))}')
    return 0


def _compare_with_hub(folder: Path, info: Any) -> None:
    """Hold the files against the hashes that the hub tells (of large files it has SHA-256)."""
    states = {state.name: state for state in compare(folder)}
    for sibling in info.siblings or ():
        stored = getattr(sibling, "lfs", None)
        state = states.get(sibling.rfilename)
        if stored is not None and state is not None and state.sha256 != stored.sha256:
            raise InputError(
                f"{folder / state.name} is not what the hub has; delete it and fetch again"
            )


def _verify(args: argparse.Namespace, load: EngineLoader) -> int:
    folder = model_folder(args.model)
    if args.write:
        print(f"wrote {write_manifest(folder)}", file=sys.stderr)
    with busy("hashing"):
        states = compare(folder)
    has_manifest = any(state.expected for state in states)
    with busy("loading"):
        fault = load_fault(args.model if args.model == EMBEDDED else str(folder), load)
    whole = has_manifest and fault is None and all(map(_is_fine, states))
    if args.json:
        print(
            json.dumps(
                {
                    "folder": str(folder),
                    "whole": whole,
                    "files": {state.name: _verdict(state) for state in states},
                    "load_error": fault,
                }
            )
        )
        return 0 if whole else 1
    for state in states:
        print(f"{_verdict(state):<11} {state.name}  {state.sha256 or ''}".rstrip())
    print("every tensor is there and used" if fault is None else f"cannot be loaded: {fault}")
    if not has_manifest:
        print(f"no {MANIFEST_NAME}: nothing to compare with; --write makes one")
    return 0 if whole else 1


def load_fault(model: str, load: EngineLoader) -> str | None:
    """Load a model, which refuses tensors that are missing, misshapen or unknown.

    Returns:
        ``None`` if all is well, else what is wrong in a sentence.
    """
    from dgemma_engine.errors import EngineError

    try:
        load(model)
    except (EngineError, OSError, ImportError) as err:
        return str(err)
    return None


def _is_fine(state: FileState) -> bool:
    # A file that the manifest does not name is told, and no fault.
    return state.is_good or (state.expected is None and state.sha256 is not None)


def _verdict(state: FileState) -> str:
    if state.sha256 is None:
        return "missing"
    if state.expected is None:
        return "not listed"
    return "ok" if state.is_good else "differs"


def _size(n_bytes: object) -> str:
    assert isinstance(n_bytes, int)
    value = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
