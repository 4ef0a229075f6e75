"""``dgemma-ls eval``: how well a model does its work, on documents that it has not seen.

One module for each task: ``infill`` (gaps of held-out code, beside baselines), ``humaneval`` (gaps
whose tests say whether a fill is right), ``next_token``, ``length``, ``judge`` and ``typos`` (what
the parts do). ``arguments.py`` and ``running.py`` are what they share.
"""

import argparse
from collections.abc import Sequence

from dgemma_ls.commands.arguments import EngineLoader
from dgemma_ls.commands.evaluate import humaneval, infill, judge, length, next_token, typos
from dgemma_ls.loading import load_engine

_TASKS = (infill, humaneval, next_token, length, judge, typos)


def main(argv: Sequence[str], *, load: EngineLoader = load_engine) -> int:
    """Evaluate, print tables, write files; give the exit code.

    Returns:
        0, or 130 when Ctrl-C ended the run early; then the tables are of what was done.

    Raises:
        FileError: if a file cannot be read or written.
        InputError: if the arguments do not fit each other.
        EngineError: if the model cannot be loaded.
    """
    parser = argparse.ArgumentParser(
        prog="dgemma-ls eval", description="Measure how well a model does its work."
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    for task in _TASKS:
        task.add_parser(tasks)
    args = parser.parse_args(argv)
    code: int = args.run(args, load)
    return code
