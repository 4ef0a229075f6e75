"""Rewriting what is selected: code actions ``refactor.rewrite.dgemma``, and ``dgemma.rewrite``."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from lsprotocol import types

from dgemma_engine.errors import RequestError
from dgemma_engine.types import CancelToken, Span
from dgemma_engine.worker import Priority
from dgemma_ls import convert
from dgemma_ls.features import rewrite
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.rewrite import RewriteRequest, Wish
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.actions import Provider, Resolved, action_support, wanted
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.positions import Position
from dgemma_ls.protocol import DgemmaServer, starts_at_once
from dgemma_ls.questions import Question, View
from dgemma_ls.status import StatusKind
from dgemma_ls.types import Edit, Refusal, Snapshot
from dgemma_ls.workspace_edits import EditSupport, edit_support, to_workspace_edit

COMMAND = "dgemma.rewrite"
KIND = "refactor.rewrite.dgemma"
_NAME = "rewrite"  # in the data of an action

# What each of them does is the engine's: the share of tokens that are noised.
_STRENGTHS = {"Rewrite": 0.7, "Polish": 0.4, "Mend": 0.15, "Replace": 1.0}
_MOST_CHARS = 32  # of a token: a longer selection is too long without being counted


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a selection may be, and how that is counted."""

    n_tokens: int
    count: Callable[[str], int]


def register(server: DgemmaServer) -> None:
    """Register the command."""

    @server.command(COMMAND)
    @starts_at_once
    def run(params: types.ExecuteCommandParams) -> Coroutine[Any, Any, None]:
        known = ("uri", "range", "strength", "instruction", "maxChanged")
        given = Arguments(params, known)
        wish = Wish(
            strength=given.share("strength", rewrite.DEFAULT_STRENGTH),
            instruction=given.text("instruction", ""),
            max_changed=given.count("maxChanged"),
        )
        if not edit_support(server.client_capabilities).applies:
            raise editing.failed("This editor does not let a server edit documents.")
        view = server.open_session.look(given.text("uri"))
        if view is None:
            raise editing.failed("The document is not open.")
        question, request = _admit(server, view, given.range("range"), wish)
        return _run(server, question, request, params.work_done_token)


def provider(server: DgemmaServer) -> Provider:
    """Give the code actions on a selection."""
    actions = _Actions(server)
    return Provider(kinds=(KIND,), offer=actions.offer, resolve=actions.resolve)


async def _run(
    server: DgemmaServer,
    question: Question,
    request: RewriteRequest,
    token: types.ProgressToken | None,
) -> None:
    edits = await _edits(server, question, request, token)
    await editing.apply(
        server,
        question.view,
        edits,
        label=_label(request.wish),
        description=_describe(request.wish),
    )


class _Actions:
    """Code actions on a selection."""

    def __init__(self, server: DgemmaServer) -> None:
        self._server = server
        self._limit: Limit | None = None  # known some time after the engine is there
        self._asked = False

    def offer(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Give stubs; nothing is computed before one of them is chosen."""
        server = self._server
        support = action_support(server.client_capabilities)
        edits = edit_support(server.client_capabilities)
        if not (wanted(KIND, params.context.only) and (support.resolves or edits.applies)):
            return []
        view = server.open_session.look(params.text_document.uri)
        if view is None:
            return []
        span = _span(view, (convert.to_position(params.range.start), _end(params)))
        text = view.snapshot.text[span.start : span.end]
        if not text.strip():
            return []
        reason = self._why_not(text.strip())
        if reason is not None and not support.disabled:
            return []
        actions = [
            types.CodeAction(
                title=f"{name} selection (dgemma)",
                kind=KIND,
                disabled=None if reason is None else types.CodeActionDisabled(reason=reason),
                tags=[types.CodeActionTag.LlmGenerated] if support.tags else None,
            )
            for name in _STRENGTHS
        ]
        for action, strength in zip(actions, _STRENGTHS.values(), strict=True):
            argument = {"uri": view.snapshot.uri, "range": _json(params.range)}
            argument["strength"] = strength
            if support.resolves:
                action.data = {**argument, "by": _NAME, "version": view.snapshot.version}
            else:
                action.command = types.Command(
                    title=action.title, command=COMMAND, arguments=[argument]
                )
        return actions

    def resolve(self, action: types.CodeAction, data: dict[str, Any]) -> Resolved:
        """Work out the edit of the action that was chosen."""
        server = self._server
        view = server.open_session.look(str(data.get("uri")), version=data.get("version"))
        if view is None:
            raise editing.content_modified()
        given = Arguments(
            types.ExecuteCommandParams(command=COMMAND, arguments=[data]),
            ("uri", "range", "strength", "by", "version"),
        )
        wish = Wish(strength=given.share("strength", rewrite.DEFAULT_STRENGTH))
        question, request = _admit(server, view, given.range("range"), wish)
        return _resolved(server, question, request, action)

    def _why_not(self, text: str) -> str | None:
        """Say why a selection cannot be rewritten, as far as that is known at once."""
        session = self._server.open_session
        if session.status.kind is StatusKind.ERROR:
            return session.status.message
        if self._limit is None:
            self._ask_for_limit()
            return None
        if len(text) > self._limit.n_tokens * _MOST_CHARS:
            return f"One canvas holds {self._limit.n_tokens} tokens; select less."
        n_tokens = self._limit.count(text)
        if n_tokens > self._limit.n_tokens:
            return _sentence(rewrite.too_long(n_tokens, self._limit.n_tokens))
        return None

    def _ask_for_limit(self) -> None:
        """Have the engine say, when it has time; until then it refuses what is too long."""
        if self._asked:
            return
        self._asked = True

        def keep(job: Any) -> None:
            if not job.cancelled() and job.exception() is None:
                self._limit = job.result()

        self._server.open_session.consult(_limit_of).future.add_done_callback(keep)


def _limit_of(engine: Infiller, token: CancelToken) -> Limit:
    encode = engine.tokenizer.encode
    return Limit(engine.max_span_tokens, lambda text: len(encode(text)))


def _admit(
    server: DgemmaServer, view: View, ends: tuple[Position, Position], wish: Wish
) -> tuple[Question, RewriteRequest]:
    try:
        request = rewrite.prepare(view.snapshot, _span(view, ends), wish)
    except RequestError as err:
        raise editing.failed(_sentence(str(err))) from err
    question = server.open_session.admit(view, feature="rewrite", priority=Priority.REWRITE)
    return question, request


async def _edits(
    server: DgemmaServer,
    question: Question,
    request: RewriteRequest,
    token: types.ProgressToken | None = None,
) -> tuple[Edit, ...]:
    snapshot = question.view.snapshot
    edit = await editing.compute(
        server,
        question,
        partial(_rewritten, snapshot, request),
        title="Rewriting the selection",
        token=token,
    )
    return rewrite.smallest_edits(snapshot, edit)


def _rewritten(
    snapshot: Snapshot, request: RewriteRequest, engine: Infiller, token: CancelToken
) -> Edit | Refusal:
    check = GateCheck(snapshot, request.span)
    result = rewrite.ask(engine, request, check=check, n_candidates=1, cancel=token)
    outcome = rewrite.finish(snapshot, request, result, limit=1, check=check)
    return outcome if isinstance(outcome, Refusal) else outcome[0].edit


async def _resolved(
    server: DgemmaServer, question: Question, request: RewriteRequest, action: types.CodeAction
) -> types.CodeAction:
    edits = await _edits(server, question, request)
    editing.require_current(server, question.view)
    support = edit_support(server.client_capabilities)
    described = action_support(server.client_capabilities).annotations
    action.edit = to_workspace_edit(
        question.view,
        edits,
        EditSupport(
            applies=support.applies,
            versions=support.versions,
            annotations=support.annotations and described,
            metadata=support.metadata,
        ),
        label=_label(request.wish),
        description=_describe(request.wish),
    )
    return action


def _span(view: View, ends: tuple[Position, Position]) -> Span:
    start, end = sorted(view.offset_at(position) for position in ends)
    return Span(start=start, end=end)


def _end(params: types.CodeActionParams) -> Position:
    return convert.to_position(params.range.end)


def _json(span: types.Range) -> dict[str, dict[str, int]]:
    return {
        name: {"line": at.line, "character": at.character}
        for name, at in (("start", span.start), ("end", span.end))
    }


def _label(wish: Wish) -> str:
    names = {strength: name for name, strength in _STRENGTHS.items()}
    return f"{names.get(wish.strength, 'Rewrite')} selection (dgemma)"


def _describe(wish: Wish) -> str:
    share = f"{wish.strength:.0%} of the tokens noised"
    return "written anew" if wish.replaces else share


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
