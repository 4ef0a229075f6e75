"""Code actions ``refactor.rewrite.dgemma`` on what is selected."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lsprotocol import types

from dgemma_engine.types import CancelToken
from dgemma_ls import convert
from dgemma_ls.features import rewrite
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.rewrite import Wish
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.actions import Provider, Resolved, action_support, wanted
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.handlers.rewrite import (
    COMMAND,
    STRENGTHS,
    Admitted,
    admit,
    describe,
    edits_for,
    label,
)
from dgemma_ls.protocol import DgemmaServer
from dgemma_ls.status import StatusKind
from dgemma_ls.workspace_edits import edit_support, to_workspace_edit

KIND = "refactor.rewrite.dgemma"
NAME = "rewrite"
"""Of the provider, in the data of its actions."""

_MOST_CHARS = 32  # of a token: a longer selection is too long without being counted


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a selection may be, and how that is counted."""

    n_tokens: int
    count: Callable[[str], int]


def provider(server: DgemmaServer) -> Provider:
    """Give the code actions on a selection."""
    actions = _Actions(server)
    return Provider(kinds=(KIND,), offer=actions.offer, resolve=actions.resolve)


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
        span = view.span_between(convert.to_ends(params.range))
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
            for name in STRENGTHS
        ]
        for action, strength in zip(actions, STRENGTHS.values(), strict=True):
            argument: dict[str, Any] = {
                "uri": view.snapshot.uri,
                "version": view.snapshot.version,
                "range": _json(params.range),
                "strength": strength,
            }
            if support.resolves:
                action.data = {**argument, "by": NAME}
            else:
                action.command = types.Command(
                    title=action.title, command=COMMAND, arguments=[argument]
                )
        return actions

    def resolve(self, action: types.CodeAction, data: dict[str, Any]) -> Resolved:
        """Work out the edit of the action that was chosen."""
        server = self._server
        params = types.ExecuteCommandParams(command=COMMAND, arguments=[data])
        given = Arguments(params, ("uri", "version", "range", "strength", "by"))
        view = editing.look(server, given.text("uri"), given.whole("version"))
        wish = Wish(strength=given.share("strength", rewrite.DEFAULT_STRENGTH))
        admitted = admit(server, view, given.range("range"), wish)
        return _resolved(server, admitted, action)

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
            return editing.sentence(rewrite.too_long(n_tokens, self._limit.n_tokens))
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


async def _resolved(
    server: DgemmaServer, admitted: Admitted, action: types.CodeAction
) -> types.CodeAction:
    edits = await edits_for(server, admitted)
    view, wish = admitted.question.view, admitted.request.wish
    editing.require_current(server, view)
    support = edit_support(server.client_capabilities)
    described = action_support(server.client_capabilities).annotations
    action.edit = to_workspace_edit(
        view,
        edits,
        replace(support, annotations=support.annotations and described),
        label=label(wish),
        description=describe(wish),
    )
    return action


def _json(span: types.Range) -> dict[str, dict[str, int]]:
    return {
        name: {"line": at.line, "character": at.character}
        for name, at in (("start", span.start), ("end", span.end))
    }
