"""Puts the server together: one module of ``handlers`` for each group of features."""

from collections.abc import Callable
from pathlib import Path

from dgemma_ls import loading, stdio
from dgemma_ls.features.fill import Infiller
from dgemma_ls.handlers import (
    code_actions,
    commands,
    completion,
    configuration,
    copilot,
    diagnostics,
    holes,
    inline,
    lifecycle,
    next_edits,
    rewrite,
    status,
    surprise_actions,
    typos,
    workspace,
)
from dgemma_ls.protocol import DgemmaServer, Hire, Load
from dgemma_ls.settings import Settings

__all__ = ["DgemmaServer", "create_server", "load_engine", "serve_stdio"]


def load_engine(settings: Settings) -> Infiller:
    """Load the model that the settings name; runs on the engine thread."""
    return loading.load_engine(settings.model, device=settings.device)


def create_server(load: Load = load_engine, *, hire: Hire | None = None) -> DgemmaServer:
    """Build a server; nothing is loaded before a client has initialized it.

    Args:
        load: makes the engine from the settings; called on the engine thread.
        hire: gives the session a share of an engine thread in place of its own.
    """
    server = DgemmaServer(load, hire)
    groups = (
        *(lifecycle, configuration, workspace, inline, completion, copilot, next_edits, status),
        *(rewrite, holes, diagnostics, typos, surprise_actions, commands, code_actions),
    )
    for group in groups:
        group.register(server)
    return server


def serve_stdio(
    *,
    log_file: str | Path | None = None,
    verbose: bool = False,
    create: Callable[[], DgemmaServer] = create_server,
) -> int:
    """Serve one client over stdin and stdout; see :func:`dgemma_ls.stdio.serve_stdio`."""
    return stdio.serve_stdio(log_file=log_file, verbose=verbose, create=create)
