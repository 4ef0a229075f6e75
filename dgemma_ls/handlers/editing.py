"""What all requests share that end in an edit: progress, the last look, sending, and errors."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_engine.errors import RequestError
from dgemma_engine.types import CancelToken
from dgemma_ls.features.fill import Infiller
from dgemma_ls.protocol import REQUEST_FAILED, DgemmaServer, or_failed
from dgemma_ls.questions import Question, Task, View
from dgemma_ls.types import Edit, Refusal, RefusalReason
from dgemma_ls.workspace_edits import edit_support, to_workspace_edit

T = TypeVar("T")

_CONTENT_MODIFIED = -32801  # LSP 3.18, LSPErrorCodes

_SENTENCES = {
    RefusalReason.NO_CANDIDATE: "The model has nothing else to offer here.",
    RefusalReason.BREAKS_PARSE: "All that the model found would add a syntax error.",
    RefusalReason.CHANGES_STRUCTURE: "The change would make something else of the document.",
    RefusalReason.NOT_EXPRESSIBLE: "That cannot be written in this document.",
    RefusalReason.EMPTY: "The model would leave it as it is.",
    RefusalReason.REPEATS_SUFFIX: "The model only repeats what follows.",
    RefusalReason.DEADLINE: "The time was up before there was anything to show.",
}

_numbers = itertools.count(1)


def content_modified() -> rpc.JsonRpcException:
    """Make the error for an edit of a text that is no more."""
    return rpc.JsonRpcException(
        code=_CONTENT_MODIFIED, message="The document has changed; nothing was edited."
    )


def failed(sentence: str) -> rpc.JsonRpcException:
    """Make the error for what cannot be done, with the reason for the user."""
    return rpc.JsonRpcException(code=REQUEST_FAILED, message=sentence)


def sentence(words: str) -> str:
    """Make a sentence of an error's words."""
    return f"{words[:1].upper()}{words[1:]}."


def look(server: DgemmaServer, uri: str, version: int | None = None) -> View:
    """Give a document as it is now; called while the request is received.

    Raises:
        JsonRpcException: if it is not open, or has another version than the client means.
    """
    session = server.open_session
    if session.look(uri) is None:
        raise failed("The document is not open.")
    view = session.look(uri, version=version)
    if view is None:
        raise content_modified()
    return view


async def compute(
    server: DgemmaServer,
    question: Question,
    task: Task[T],
    *,
    title: str,
    token: types.ProgressToken | None = None,
) -> T:
    """Have the engine work for an edit, with progress where the client shows it.

    Args:
        server: the server.
        question: as admitted.
        task: runs on the engine thread.
        title: what is being done.
        token: of the client, for its progress.

    Raises:
        JsonRpcException: with the reason why there is no edit.
    """
    impossible: list[RequestError] = []

    def attempt(engine: Infiller, cancel: CancelToken) -> T | Refusal:
        try:
            return task(engine, cancel)
        except RequestError as err:  # the user's to know, and no failure to log
            impossible.append(err)
            return Refusal(reason=RefusalReason.NO_CANDIDATE)

    with shown_progress(server, title, token):
        outcome = await or_failed(server.open_session.answer(question, attempt))
    if not isinstance(outcome, Refusal):
        return outcome
    if impossible:
        raise failed(sentence(str(impossible[0])))
    match outcome.reason:
        case RefusalReason.STALE:
            raise content_modified()
        case RefusalReason.CANCELLED:
            raise rpc.JsonRpcRequestCancelled("Cancelled, or another request took its place.")
        case reason:
            raise failed(_SENTENCES.get(reason, _SENTENCES[RefusalReason.NO_CANDIDATE]))


async def apply(
    server: DgemmaServer,
    view: View,
    edits: Sequence[Edit],
    *,
    label: str,
    description: str,
    ask_first: bool = False,
) -> None:
    """Send edits to the editor, once, if the document is still what they were made for.

    Args:
        server: the server.
        view: what the edits are for.
        edits: not overlapping; one undo takes all of them back.
        label: what was done, for the editor's undo list.
        description: more of it.
        ask_first: whether the editor should show them before it applies them.

    Raises:
        JsonRpcException: if the document has moved on, or the editor did not apply them.
    """
    support = edit_support(server.client_capabilities)
    require_current(server, view)
    params = types.ApplyWorkspaceEditParams(
        edit=to_workspace_edit(
            view, edits, support, label=label, description=description, ask_first=ask_first
        ),
        label=label,
        metadata=types.WorkspaceEditMetadata(is_refactoring=True) if support.metadata else None,
    )
    # Shielded, as the answer comes also when the request is cancelled meanwhile.
    result = await asyncio.shield(server.workspace_apply_edit_async(params))
    if not result.applied:
        server.open_session.counters["edits_not_applied"] += 1
        reason = f": {result.failure_reason}" if result.failure_reason else ""
        raise failed(f"The editor did not apply the change{reason}.")
    server.open_session.counters["edits_applied"] += 1


def require_current(server: DgemmaServer, view: View) -> None:
    """Make sure that a document is still what it was.

    Raises:
        JsonRpcException: if it has changed or was closed.
    """
    now = server.open_session.look(view.snapshot.uri, version=view.snapshot.version)
    if now is None or now.snapshot is not view.snapshot:
        raise content_modified()


@contextmanager
def shown_progress(
    server: DgemmaServer, title: str, token: types.ProgressToken | None
) -> Iterator[Callable[[float], None]]:
    """Show progress as long as the block runs; its cancel button cancels the request.

    Yields:
        A function that is told how much is done, 0 to 1.
    """
    request = asyncio.current_task()
    assert request is not None
    window = server.client_capabilities.window
    done = asyncio.Event()
    shown: list[types.ProgressToken] = []
    if token is not None:
        _begin(server, token, title, request)
        shown.append(token)
    elif window is not None and window.work_done_progress:
        server.in_background(_show_own(server, title, request, done, shown))
    last = -1

    def report(share: float) -> None:
        nonlocal last
        percentage = int(100 * share)
        if percentage > last:
            last = percentage
            for each in shown:
                value = types.WorkDoneProgressReport(percentage=percentage)
                server.work_done_progress.report(each, value)

    try:
        yield report
    finally:
        done.set()
        if token is not None:
            _end(server, token)


async def _show_own(
    server: DgemmaServer,
    title: str,
    request: "asyncio.Task[object]",
    done: asyncio.Event,
    shown: list[types.ProgressToken],
) -> None:
    token = f"dgemma/edit/{next(_numbers)}"
    try:
        await server.work_done_progress.create_async(token)
    except rpc.JsonRpcException:
        return  # a client may refuse
    _begin(server, token, title, request)
    shown.append(token)
    await done.wait()
    shown.clear()
    _end(server, token)


def _begin(
    server: DgemmaServer,
    token: types.ProgressToken,
    title: str,
    request: "asyncio.Task[object]",
) -> None:
    progress = server.work_done_progress
    progress.begin(token, types.WorkDoneProgressBegin(title=title, cancellable=True))
    progress.tokens[token].add_done_callback(
        lambda button: request.cancel() if button.cancelled() else None
    )


def _end(server: DgemmaServer, token: types.ProgressToken) -> None:
    server.work_done_progress.end(token, types.WorkDoneProgressEnd())
    server.work_done_progress.tokens.pop(token, None)
