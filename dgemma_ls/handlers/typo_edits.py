"""From typos to the edits that mend them, for code actions and commands.

What may be written is what was found, whatever stands in an action's data.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from lsprotocol import types

from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls.features.fill import Infiller
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.actions import action_support
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.proofread.types import Fix
from dgemma_ls.protocol import DgemmaServer
from dgemma_ls.questions import View
from dgemma_ls.types import Edit, Refusal, Snapshot
from dgemma_ls.workspace_edits import edit_support, to_workspace_edit


def chosen(server: DgemmaServer, view: View, given: Arguments) -> list[Fix]:
    """Give the fixes that an argument speaks of.

    Raises:
        JsonRpcException: if they were not found by this server.
    """
    start, end = given.whole("start"), given.whole("end")
    fix = _find(server, view, start, end, given.text("new"))
    return same_word(server, fix, view.snapshot.uri) if given.switch("all") else [fix]


def same_word(server: DgemmaServer, fix: Fix, uri: str) -> list[Fix]:
    """Give all typos of a document that are the same word as this, with the same replacement."""
    found = server.open_proofreading.found(uri)
    fixes = () if found is None else found.items
    return [
        replace(other, new=fix.new)
        for other in fixes
        if other.kind is fix.kind and other.old == fix.old and fix.new in (other.new, *other.others)
    ]


async def checked_edits(
    server: DgemmaServer, view: View, fixes: Sequence[Fix], *, title: str = "Mending typos"
) -> tuple[Edit, ...]:
    """Give the edits of those fixes that leave the document whole, all of them together.

    Raises:
        JsonRpcException: if there is none, or the document moves on.
    """
    question = server.open_session.admit(view, feature="typos", priority=Priority.INVOKED)
    return await editing.compute(
        server, question, partial(checked, view.snapshot, tuple(fixes)), title=title
    )


def checked(
    snapshot: Snapshot, fixes: Sequence[Fix], engine: Infiller, token: CancelToken
) -> tuple[Edit, ...] | Refusal:
    """Run on the engine thread: the edits that leave the document whole, if there is one."""
    # Imported on the engine thread, where fixes were found with it: the server starts without it.
    from dgemma_ls.features.typos import edits_of

    return edits_of(snapshot, fixes)


def checked_each(
    snapshot: Snapshot, groups: Sequence[Sequence[Fix]], engine: Infiller, token: CancelToken
) -> tuple[tuple[Edit, ...] | Refusal, ...]:
    """Likewise, of groups of fixes each by itself."""
    return tuple(checked(snapshot, fixes, engine, token) for fixes in groups)


def workspace_edit(
    server: DgemmaServer,
    view: View,
    edits: Sequence[Edit],
    title: str,
    *,
    description: str = "",
) -> types.WorkspaceEdit:
    """Convert the edits of a code action; it says how many typos are mended, if nothing else."""
    support = edit_support(server.client_capabilities)
    described = action_support(server.client_capabilities).annotations
    return to_workspace_edit(
        view,
        edits,
        replace(support, annotations=support.annotations and described),
        label=title,
        description=description or describe(edits),
    )


def describe(edits: Sequence[Edit]) -> str:
    """Say how much an edit mends."""
    return f"{len(edits)} {'typo' if len(edits) == 1 else 'typos'} mended"


def _find(server: DgemmaServer, view: View, start: int | None, end: int | None, new: str) -> Fix:
    """Give what was found at a place, with one of the replacements that were offered for it.

    Raises:
        JsonRpcException: if nothing, or something else, was found there.
    """
    found = server.open_proofreading.found(view.snapshot.uri)
    for fix in () if found is None else found.items:
        if (fix.span.start, fix.span.end) == (start, end) and new in (fix.new, *fix.others):
            return replace(fix, new=new)
    raise editing.content_modified()
