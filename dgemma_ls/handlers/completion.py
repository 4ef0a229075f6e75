"""The popup: ``textDocument/completion`` for editors without ghost text, or when asked for.

The setting ``completion`` is followed while the server runs. A client that takes registrations is
told of the request when it is wanted, and told again when it is not. Another one was told at
``initialize`` for good: there the popup stays empty while nobody wants it.
"""

import logging
from collections.abc import Coroutine
from typing import Any

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_ls import convert
from dgemma_ls.protocol import DgemmaServer, or_failed, starts_at_once
from dgemma_ls.suggestions import Pending

log = logging.getLogger(__name__)

_METHOD = types.TEXT_DOCUMENT_COMPLETION


def register(server: DgemmaServer) -> None:
    """Have completion offered to those clients that should have it."""
    popup = _Popup(server)
    server.at_initialize.append(popup.prepare)
    server.at_initialized.append(popup.follow)


class _Popup:
    """What a client was told of completion, and whether it should have it."""

    def __init__(self, server: DgemmaServer) -> None:
        self._server = server
        self._has_ghost_text = False
        self._takes_registrations = False
        self._is_offered = False
        self._is_answered = False  # whether the handlers are there
        self._is_telling = False

    @property
    def _wanted(self) -> bool:
        setting = self._server.open_session.settings.completion
        return setting == "on" or (setting == "auto" and not self._has_ghost_text)

    def prepare(self, params: types.InitializeParams) -> None:
        """Look at the client; one that takes no registrations is told now or never."""
        documents = params.capabilities.text_document
        completion = None if documents is None else documents.completion
        self._has_ghost_text = _shows_ghost_text(params)
        self._takes_registrations = bool(completion and completion.dynamic_registration)
        self._server.open_session.reviewers.append(self.follow)
        if self._wanted and not self._takes_registrations:
            self._answer()

    def follow(self) -> None:
        """Tell the client if it should know something else than it does."""
        if self._takes_registrations and not self._is_telling:
            self._is_telling = True
            self._server.in_background(self._tell())

    async def _tell(self) -> None:
        # One after the other: the setting may change while the client has not answered.
        try:
            while self._is_offered is not self._wanted:
                self._is_offered = self._wanted
                if self._is_offered:
                    self._answer()
                    options = types.CompletionRegistrationOptions(resolve_provider=True)
                    await self._server.subscribe(_METHOD, options)
                else:
                    await self._withdraw()
        finally:
            self._is_telling = False

    async def _withdraw(self) -> None:
        gone = types.Unregistration(id=_METHOD, method=_METHOD)
        try:
            await self._server.client_unregister_capability_async(
                types.UnregistrationParams(unregisterations=[gone])
            )
        except rpc.JsonRpcException as err:
            log.warning("not unregistered: method=%s error=%s", _METHOD, type(err).__name__)

    def _answer(self) -> None:
        """Have the requests answered; before ``initialize`` is, that also announces them."""
        if self._is_answered:
            return
        self._is_answered = True
        server = self._server

        @server.feature(_METHOD, types.CompletionOptions(resolve_provider=True))
        @starts_at_once
        def completion(params: types.CompletionParams) -> Coroutine[Any, Any, types.CompletionList]:
            if not self._wanted:
                return _nothing()
            # Editors report mere typing as "invoked" here: nobody waits, and the deadline holds.
            pending = server.open_suggestions.suggest(
                params.text_document.uri,
                convert.to_position(params.position),
                invoked=False,
                feature="completion",
            )
            return _list(pending)

        @server.feature(types.COMPLETION_ITEM_RESOLVE)
        def resolve(item: types.CompletionItem) -> types.CompletionItem:
            found = server.open_suggestions.find(item.data) if isinstance(item.data, str) else None
            if found is not None:
                item.documentation = convert.to_documentation(found)
            return item


async def _nothing() -> types.CompletionList:
    return types.CompletionList(is_incomplete=False, items=[])


async def _list(pending: Pending) -> types.CompletionList:
    return convert.to_completion_list(await or_failed(pending()))


def _shows_ghost_text(params: types.InitializeParams) -> bool:
    """Say whether a client uses inline completion: it says so, or is one of Copilot's."""
    documents = params.capabilities.text_document
    return convert.is_copilot_client(params) or (
        documents is not None and documents.inline_completion is not None
    )
