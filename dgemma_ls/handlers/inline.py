"""Ghost text: ``textDocument/inlineCompletion``, and the command of an item that was taken."""

from collections.abc import Coroutine
from typing import Any

from lsprotocol import types

from dgemma_ls import convert
from dgemma_ls.protocol import DgemmaServer, or_failed, starts_at_once
from dgemma_ls.protocol_ext import InlineCompletionParams
from dgemma_ls.suggestions import Pending


def register(server: DgemmaServer) -> None:
    """Register inline completion."""

    # Without options pygls would not advertise it.
    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    @starts_at_once
    def inline_completion(
        params: InlineCompletionParams,
    ) -> Coroutine[Any, Any, types.InlineCompletionList]:
        pending = server.open_suggestions.suggest(
            params.text_document.uri,
            convert.to_position(params.position),
            invoked=convert.is_invoked(params.context),
            version=params.text_document.version,
            selected=convert.to_selected(params.context),
        )
        return _answer(server, pending, params.partial_result_token)

    @server.command(convert.ACCEPTED)
    def accepted(item_id: str) -> None:
        server.open_suggestions.note_accepted(item_id)


async def _answer(
    server: DgemmaServer, pending: Pending, token: str | int | None
) -> types.InlineCompletionList:
    """Nothing to suggest is an empty list: ``null`` would keep the old ghost text on screen."""
    items = convert.to_inline_items(await or_failed(pending()))
    if token is None or not items:
        return types.InlineCompletionList(items=items)
    # LSP 3.18, Partial Result Progress: then all items go that way, and the answer is empty.
    server.protocol.notify(types.PROGRESS, types.ProgressParams(token=token, value=items))
    return types.InlineCompletionList(items=[])
