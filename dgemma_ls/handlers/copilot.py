"""What GitHub's Copilot server has beyond LSP, so that its clients can drive this one.

The names and shapes are those of npm ``@github/copilot-language-server`` (its README). All that
is noted is counted, in this process only.
"""

from lsprotocol import types

from dgemma_ls import convert, protocol_ext
from dgemma_ls.protocol import DgemmaServer
from dgemma_ls.status import Status


def register(server: DgemmaServer) -> None:
    """Register its notifications, and have ``didChangeStatus`` sent to its clients."""

    @server.feature(protocol_ext.DID_SHOW)
    def did_show(params: protocol_ext.DidShowParams) -> None:
        if (item_id := convert.to_item_id(params.item)) is not None:
            server.open_suggestions.note_shown(item_id)

    @server.feature(protocol_ext.DID_PARTIALLY_ACCEPT)
    def did_partially_accept(params: protocol_ext.DidPartiallyAcceptParams) -> None:
        if (item_id := convert.to_item_id(params.item)) is not None:
            server.open_suggestions.note_partly_accepted(item_id, params.accepted_length)

    @server.feature(protocol_ext.DID_FOCUS)
    def did_focus(params: protocol_ext.DidFocusParams) -> None:
        if params.text_document is not None:
            server.open_session.focus(params.text_document.uri)

    def prepare(params: types.InitializeParams) -> None:
        # Any other client would have to complain about a method that it does not know.
        if convert.is_copilot_client(params):
            server.open_suggestions.hears_of_shown = True
            _report_status(server)

    server.at_initialize.append(prepare)


def _report_status(server: DgemmaServer) -> None:
    session = server.open_session
    last: Status | None = None

    def report() -> None:
        nonlocal last
        if session.status != last:
            last = session.status
            server.protocol.notify(protocol_ext.DID_CHANGE_STATUS, convert.to_status(last))

    session.on_status = report
