"""The quick fix of a surprising word: what the model puts there, if the gate lets it pass.

What is written is worked out when the action is chosen, and only where a hint stands.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any

from lsprotocol import types

from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls import convert
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.surprise import Doubt
from dgemma_ls.features.surprise_fix import fix
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.actions import Offer, Provider, Resolved, action_support, wanted
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.handlers.diagnostics import view_of
from dgemma_ls.handlers.surprise_diagnostics import to_diagnostic
from dgemma_ls.handlers.typo_actions import QUICK
from dgemma_ls.handlers.typo_edits import workspace_edit
from dgemma_ls.protocol import DgemmaServer, starts_at_once
from dgemma_ls.questions import View
from dgemma_ls.types import Edit, Refusal, Snapshot
from dgemma_ls.workspace_edits import edit_support

NAME = "surprises"
COMMAND = "dgemma.fixSurprise"
_MOST_AT_ONCE = 5  # hints of a selection that get quick fixes
_KEYS = ("uri", "version", "start", "end")


def register(server: DgemmaServer) -> None:
    """Register the command, for clients that do not resolve actions."""

    @server.command(COMMAND)
    @starts_at_once
    def run(params: types.ExecuteCommandParams) -> Coroutine[Any, Any, None]:
        given = Arguments(params, _KEYS)
        if not edit_support(server.client_capabilities).applies:
            raise editing.failed("This editor does not let a server edit documents.")
        view = editing.look(server, given.text("uri"), given.whole("version"))
        return _run(server, view, _find(server, view, given), params.work_done_token)


def provider(server: DgemmaServer) -> Provider:
    """Give the code actions."""
    return Provider(
        kinds=(QUICK,), offer=partial(_offer, server), resolve=partial(_resolve, server)
    )


def _offer(server: DgemmaServer, params: types.CodeActionParams) -> Offer:
    found = server.open_surprises.found(params.text_document.uri)
    view = None if found is None else view_of(server, found)
    if found is None or view is None or not wanted(QUICK, params.context.only):
        return []
    capabilities = server.client_capabilities
    if not (action_support(capabilities).resolves or edit_support(capabilities).applies):
        return []  # the model's word would have to be waited for before anything is shown
    span = view.span_between(convert.to_ends(params.range))
    here = [d for d in found.items if d.span.start <= span.end and span.start <= d.span.end]
    return [_action(server, view, doubt) for doubt in here[:_MOST_AT_ONCE]]


def _action(server: DgemmaServer, view: View, doubt: Doubt) -> types.CodeAction:
    place = {
        "uri": view.snapshot.uri,
        "version": view.snapshot.version,
        "start": doubt.span.start,
        "end": doubt.span.end,
    }
    action = types.CodeAction(
        title=_title(doubt), kind=QUICK, diagnostics=[to_diagnostic(view, doubt)]
    )
    if action_support(server.client_capabilities).resolves:
        action.data = {**place, "by": NAME}
    else:
        action.command = types.Command(title=action.title, command=COMMAND, arguments=[place])
    return action


def _title(doubt: Doubt) -> str:
    return f"Fill “{doubt.text}” anew (dgemma)"


def _resolve(server: DgemmaServer, action: types.CodeAction, data: dict[str, Any]) -> Resolved:
    params = types.ExecuteCommandParams(command=COMMAND, arguments=[data])
    given = Arguments(params, (*_KEYS, "by"))
    view = editing.look(server, given.text("uri"), given.whole("version"))
    return _resolved(server, view, _find(server, view, given), action)


def _find(server: DgemmaServer, view: View, given: Arguments) -> Doubt:
    """Give the hint that an argument speaks of.

    Raises:
        JsonRpcException: if there is none.
    """
    found = server.open_surprises.found(view.snapshot.uri)
    place = given.whole("start"), given.whole("end")
    for doubt in () if found is None else found.items:
        if (doubt.span.start, doubt.span.end) == place:
            return doubt
    raise editing.content_modified()


async def _resolved(
    server: DgemmaServer, view: View, doubt: Doubt, action: types.CodeAction
) -> types.CodeAction:
    edit = await _edit(server, view, doubt, None)
    editing.require_current(server, view)
    action.edit = workspace_edit(
        server, view, [edit], action.title, description=_description(doubt)
    )
    return action


async def _run(
    server: DgemmaServer, view: View, doubt: Doubt, token: types.ProgressToken | None
) -> None:
    edit = await _edit(server, view, doubt, token)
    await editing.apply(server, view, [edit], label=_title(doubt), description=_description(doubt))


def _description(doubt: Doubt) -> str:
    return f"“{doubt.text}” filled anew"


async def _edit(
    server: DgemmaServer, view: View, doubt: Doubt, token: types.ProgressToken | None
) -> Edit:
    question = server.open_session.admit(view, feature="surprise", priority=Priority.INVOKED)
    task = partial(_fixed, view.snapshot, doubt)
    return await editing.compute(server, question, task, title="Filling a word anew", token=token)


def _fixed(
    snapshot: Snapshot, doubt: Doubt, engine: Infiller, token: CancelToken
) -> Edit | Refusal:
    return fix(engine, snapshot, doubt, cancel=token)
