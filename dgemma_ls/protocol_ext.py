"""Messages that lsprotocol does not have, or of which it drops parts. Decides nothing.

``textDocument/inlineCompletion`` with the document's version and a token for partial results (LSP
3.18 has the token, GitHub's Copilot server the version), the notifications of that server's
protocol that its clients send, and our own ``dgemma/status``.
"""

from typing import Any

import attrs
from lsprotocol import types

DID_SHOW = "textDocument/didShowCompletion"
DID_PARTIALLY_ACCEPT = "textDocument/didPartiallyAcceptCompletion"
DID_FOCUS = "textDocument/didFocus"
INLINE_EDIT = "textDocument/copilotInlineEdit"
DID_SHOW_EDIT = "textDocument/didShowInlineEdit"
DID_CHANGE_STATUS = "didChangeStatus"
STATUS = "dgemma/status"


def as_specified(params: Any) -> Any:
    """Give the parameters of ``initialize`` as the specification spells them.

    Helix (25.07) declares ``workspace.diagnostic.refreshSupport`` where that says ``diagnostics``.
    """
    match params:
        case {"capabilities": {"workspace": {"diagnostic": {"refreshSupport": True}} as declared}}:
            workspace = {"diagnostics": {"refreshSupport": True}, **declared}
            return {**params, "capabilities": {**params["capabilities"], "workspace": workspace}}
        case _:
            return params


@attrs.define
class DocumentIdentifier:
    """A document, and the version that is meant if the client says so."""

    uri: str
    version: int | None = None


@attrs.define
class InlineCompletionParams:
    """Parameters of ``textDocument/inlineCompletion``."""

    context: types.InlineCompletionContext
    text_document: DocumentIdentifier
    position: types.Position
    work_done_token: str | int | None = None
    partial_result_token: str | int | None = None


@attrs.define
class InlineCompletionRequest:
    """``textDocument/inlineCompletion``."""

    id: str | int
    params: InlineCompletionParams
    method: str = types.TEXT_DOCUMENT_INLINE_COMPLETION
    jsonrpc: str = "2.0"


@attrs.define
class DidShowParams:
    """An item is on screen."""

    item: types.InlineCompletionItem


@attrs.define
class DidShowNotification:
    """``textDocument/didShowCompletion``."""

    params: DidShowParams
    method: str = DID_SHOW
    jsonrpc: str = "2.0"


@attrs.define
class DidPartiallyAcceptParams:
    """The first ``accepted_length`` UTF-16 units of an item were taken, in all."""

    item: types.InlineCompletionItem
    accepted_length: int


@attrs.define
class DidPartiallyAcceptNotification:
    """``textDocument/didPartiallyAcceptCompletion``."""

    params: DidPartiallyAcceptParams
    method: str = DID_PARTIALLY_ACCEPT
    jsonrpc: str = "2.0"


@attrs.define
class DidFocusParams:
    """A document is looked at; none if it is something else."""

    text_document: DocumentIdentifier | None = None


@attrs.define
class DidFocusNotification:
    """``textDocument/didFocus``."""

    params: DidFocusParams
    method: str = DID_FOCUS
    jsonrpc: str = "2.0"


@attrs.define
class InlineEditParams:
    """Parameters of ``textDocument/copilotInlineEdit``."""

    text_document: DocumentIdentifier
    position: types.Position
    work_done_token: str | int | None = None
    partial_result_token: str | int | None = None


@attrs.define
class InlineEditRequest:
    """``textDocument/copilotInlineEdit``."""

    id: str | int
    params: InlineEditParams
    method: str = INLINE_EDIT
    jsonrpc: str = "2.0"


@attrs.define
class DidShowEditParams:
    """An edit is on screen; of the item, clients send at least the command's arguments."""

    item: Any


@attrs.define
class DidShowEditNotification:
    """``textDocument/didShowInlineEdit``."""

    params: DidShowEditParams
    method: str = DID_SHOW_EDIT
    jsonrpc: str = "2.0"


@attrs.define
class StatusRequest:
    """``dgemma/status``; has no parameters."""

    id: str | int
    params: Any = None
    method: str = STATUS
    jsonrpc: str = "2.0"


MESSAGES: dict[str, type[Any]] = {
    types.TEXT_DOCUMENT_INLINE_COMPLETION: InlineCompletionRequest,
    DID_SHOW: DidShowNotification,
    DID_PARTIALLY_ACCEPT: DidPartiallyAcceptNotification,
    DID_FOCUS: DidFocusNotification,
    INLINE_EDIT: InlineEditRequest,
    DID_SHOW_EDIT: DidShowEditNotification,
    STATUS: StatusRequest,
}
"""What the client may send, by method; each takes precedence over lsprotocol's."""
