"""The popup: ``textDocument/completion`` for editors without ghost text, or when asked for."""

from collections.abc import Coroutine
from typing import Any

from lsprotocol import types

from dgemma_ls import convert
from dgemma_ls.protocol import DgemmaServer, or_failed, starts_at_once
from dgemma_ls.suggestions import Pending


def register(server: DgemmaServer) -> None:
    """Have completion registered at ``initialize``, if this client should have it."""

    def prepare(params: types.InitializeParams) -> None:
        match server.open_session.settings.completion:
            case "on":
                _register(server)
            case "auto" if not _shows_ghost_text(params):
                _register(server)

    server.at_initialize.append(prepare)


def _register(server: DgemmaServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(resolve_provider=True))
    @starts_at_once
    def completion(params: types.CompletionParams) -> Coroutine[Any, Any, types.CompletionList]:
        # Editors report mere typing as "invoked" here: nobody waits, and the deadline holds.
        pending = server.open_suggestions.suggest(
            params.text_document.uri,
            convert.to_position(params.position),
            invoked=False,
            feature="completion",
        )
        return _answer(pending)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolve(item: types.CompletionItem) -> types.CompletionItem:
        found = server.open_suggestions.find(item.data) if isinstance(item.data, str) else None
        if found is not None:
            item.documentation = convert.to_documentation(found)
        return item


async def _answer(pending: Pending) -> types.CompletionList:
    return convert.to_completion_list(await or_failed(pending()))


def _shows_ghost_text(params: types.InitializeParams) -> bool:
    """Say whether a client uses inline completion: it says so, or is one of Copilot's."""
    documents = params.capabilities.text_document
    return convert.is_copilot_client(params) or (
        documents is not None and documents.inline_completion is not None
    )
