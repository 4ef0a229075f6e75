"""``dgemma-ls completion``: a script that teaches a shell the program's options."""

import argparse

import shtab

DESCRIPTION = (
    "Print a completion script. bash: source <(dgemma-ls completion bash); zsh: write it to a file "
    "_dgemma-ls in your $fpath."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``completion``."""
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)


def run(args: argparse.Namespace, *, load: object = None) -> int:
    """Print the script."""
    print(shtab.complete(args.program(), shell=args.shell))
    return 0
