"""``dgemma.fillHoles``: fill cursors, selections, or the markers of a document together."""

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from lsprotocol import types

from dgemma_engine.errors import RequestError
from dgemma_engine.types import CancelToken, Span
from dgemma_engine.worker import Priority
from dgemma_ls.elsewhere import Elsewhere
from dgemma_ls.features import hole_markers, holes
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.holes import Filled
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.protocol import DgemmaServer, starts_at_once
from dgemma_ls.questions import Question, View
from dgemma_ls.types import Refusal
from dgemma_ls.workspace_edits import edit_support

COMMAND = "dgemma.fillHoles"


def register(server: DgemmaServer) -> None:
    """Register the command."""

    @server.command(COMMAND)
    @starts_at_once
    def run(params: types.ExecuteCommandParams) -> Coroutine[Any, Any, None]:
        given = Arguments(params, ("uri", "version", "positions", "ranges"))
        if not edit_support(server.client_capabilities).applies:
            raise editing.failed("This editor does not let a server edit documents.")
        view = editing.look(server, given.text("uri"), given.whole("version"))
        spans = _spans(view, given)
        session = server.open_session
        question = session.admit(view, feature="fillHoles", priority=Priority.REWRITE)
        elsewhere = session.elsewhere(view, spans[0].start)
        return _run(server, question, spans, elsewhere, params.work_done_token)


async def _run(
    server: DgemmaServer,
    question: Question,
    spans: Sequence[Span],
    elsewhere: Elsewhere,
    token: types.ProgressToken | None,
) -> None:
    filled = await editing.compute(
        server,
        question,
        partial(_fill, question.view, spans, elsewhere),
        title="Filling the holes" if len(spans) > 1 else "Filling the hole",
        token=token,
    )
    n_filled = len(filled.edits)
    await editing.apply(
        server,
        question.view,
        filled.edits,
        label="Fill holes (dgemma)" if len(spans) > 1 else "Fill hole (dgemma)",
        description=f"{n_filled} of {len(spans)}" if len(spans) > 1 else "written anew",
        # Somewhere else on the screen something changes too: better seen before than after.
        ask_first=n_filled > 1,
    )
    if filled.n_left:
        words = f"{n_filled} of {len(spans)} holes were filled; nothing was found for the others."
        server.tell(words, types.MessageType.Info)


def _spans(view: View, given: Arguments) -> tuple[Span, ...]:
    """Give the holes that the client names, or else those that the document marks."""
    places = [view.offset_at(position) for position in given.positions("positions")]
    named = [Span(start=place, end=place) for place in places]
    named += [view.span_between(ends) for ends in given.ranges("ranges")]
    if not named:
        found = hole_markers.find_holes(view.snapshot)
        if not found:
            raise editing.failed(f"There is no hole here; mark one by {hole_markers.MARKERS}.")
        return found
    try:
        return holes.in_order(named)
    except RequestError as err:
        raise editing.failed(editing.sentence(str(err))) from err


def _fill(
    view: View,
    spans: Sequence[Span],
    elsewhere: Elsewhere,
    engine: Infiller,
    token: CancelToken,
) -> Filled | Refusal:
    return holes.ask(
        engine,
        view.snapshot,
        spans,
        before=view.before,
        context=elsewhere.text(engine),
        cancel=token,
    )
