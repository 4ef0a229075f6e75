"""Rewriting a range: the command ``dgemma.rewrite``, and what its code actions share with it."""

from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from lsprotocol import types

from dgemma_engine.errors import RequestError
from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls.elsewhere import Elsewhere
from dgemma_ls.features import rewrite
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.rewrite import RewriteRequest, Wish
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.positions import Position
from dgemma_ls.protocol import DgemmaServer, starts_at_once
from dgemma_ls.questions import Question, View
from dgemma_ls.types import Edit, Refusal
from dgemma_ls.workspace_edits import edit_support

COMMAND = "dgemma.rewrite"
# The share of tokens that are noised, by what that does to a text; the first is the usual one.
STRENGTHS = {"Rewrite": 0.7, "Polish": 0.4, "Mend": 0.15, "Replace": 1.0}


def register(server: DgemmaServer) -> None:
    """Register the command."""

    @server.command(COMMAND)
    @starts_at_once
    def run(params: types.ExecuteCommandParams) -> Coroutine[Any, Any, None]:
        known = ("uri", "version", "range", "strength", "instruction", "maxChanged")
        given = Arguments(params, known)
        wish = Wish(
            strength=given.share("strength", rewrite.DEFAULT_STRENGTH),
            instruction=given.text("instruction", ""),
            max_changed=given.count("maxChanged"),
        )
        if not edit_support(server.client_capabilities).applies:
            raise editing.failed("This editor does not let a server edit documents.")
        view = editing.look(server, given.text("uri"), given.whole("version"))
        admitted = admit(server, view, given.range("range"), wish)
        return _run(server, admitted, params.work_done_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A request to rewrite that was taken up.

    Attributes:
        question: its place among all requests.
        request: what the engine is asked.
        elsewhere: what other files may say.
    """

    question: Question
    request: RewriteRequest
    elsewhere: Elsewhere


async def _run(server: DgemmaServer, admitted: Admitted, token: types.ProgressToken | None) -> None:
    edits = await edits_for(server, admitted, token)
    wish = admitted.request.wish
    await editing.apply(
        server, admitted.question.view, edits, label=label(wish), description=describe(wish)
    )


def admit(
    server: DgemmaServer, view: View, ends: tuple[Position, Position], wish: Wish
) -> Admitted:
    """Take up a request to rewrite a range; called while it is received.

    Raises:
        JsonRpcException: if there is no text in the range.
    """
    try:
        request = rewrite.prepare(view.snapshot, view.span_between(ends), wish)
    except RequestError as err:
        raise editing.failed(editing.sentence(str(err))) from err
    session = server.open_session
    return Admitted(
        question=session.admit(view, feature="rewrite", priority=Priority.REWRITE),
        request=request,
        elsewhere=session.elsewhere(view, request.span.start),
    )


async def edits_for(
    server: DgemmaServer, admitted: Admitted, token: types.ProgressToken | None = None
) -> tuple[Edit, ...]:
    """Have the engine rewrite, and give the small edits.

    Raises:
        JsonRpcException: with the reason why there are none.
    """
    edit = await editing.compute(
        server,
        admitted.question,
        partial(_rewritten, admitted),
        title="Rewriting the selection",
        token=token,
    )
    return rewrite.smallest_edits(admitted.question.view.snapshot, edit)


def _rewritten(admitted: Admitted, engine: Infiller, token: CancelToken) -> Edit | Refusal:
    view, request = admitted.question.view, admitted.request
    check = GateCheck(view.snapshot, request.span)
    result = rewrite.ask(
        engine,
        request,
        check=check,
        n_candidates=1,
        before=view.before,
        context=admitted.elsewhere.text(engine),
        cancel=token,
    )
    outcome = rewrite.finish(view.snapshot, request, result, limit=1, check=check)
    return outcome if isinstance(outcome, Refusal) else outcome[0].edit


def label(wish: Wish) -> str:
    """Name a change for the editor's undo list."""
    names = {strength: name for name, strength in STRENGTHS.items()}
    return f"{names.get(wish.strength, 'Rewrite')} selection (dgemma)"


def describe(wish: Wish) -> str:
    """Say more of a change, for a preview."""
    share = f"{wish.strength:.0%} of the tokens noised"
    return "written anew" if wish.replaces else share
