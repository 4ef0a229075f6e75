"""Next edits, as GitHub's Copilot server has them: ``textDocument/copilotInlineEdit``.

The client makes the edit itself and runs its command then; another with the same argument says
that nobody wants it.
"""

from collections.abc import Coroutine, Mapping
from typing import Any

from lsprotocol import types

from dgemma_ls import convert, protocol_ext
from dgemma_ls.next_edits import NextEdits, OfferedEdit, Pending
from dgemma_ls.protocol import DgemmaServer, or_failed, starts_at_once

ACCEPT, REJECT = "dgemma.acceptInlineEdit", "dgemma.rejectInlineEdit"

_Answer = Coroutine[Any, Any, dict[str, Any]]


def register(server: DgemmaServer) -> None:
    """Register the request, its notification and its commands."""
    server.experimental["copilotInlineEditProvider"] = True
    opened: list[NextEdits] = []  # one from initialize on

    def prepare(params: types.InitializeParams) -> None:
        opened.append(NextEdits(server.open_session))

    server.at_initialize.append(prepare)

    @server.feature(protocol_ext.INLINE_EDIT)
    @starts_at_once
    def inline_edit(params: protocol_ext.InlineEditParams) -> _Answer:
        document = params.text_document
        position = convert.to_position(params.position)
        return _answer(opened[0].suggest(document.uri, position, version=document.version))

    @server.feature(protocol_ext.DID_SHOW_EDIT)
    def did_show(params: protocol_ext.DidShowEditParams) -> None:
        if (offer_id := _id_of(params.item)) is not None:
            opened[0].note_shown(offer_id)

    @server.command(ACCEPT)
    def accept(offer_id: str) -> None:
        opened[0].accept(offer_id)

    @server.command(REJECT)
    def reject(offer_id: str) -> None:
        opened[0].reject(offer_id)


async def _answer(pending: Pending) -> dict[str, Any]:
    return {"edits": [_to_edit(offered) for offered in await or_failed(pending())]}


def _to_edit(offered: OfferedEdit) -> dict[str, Any]:
    return {
        "text": offered.text,
        "textDocument": {"uri": offered.uri, "version": offered.version},
        "range": convert.to_range(offered.range),
        "command": types.Command(
            title="Accept inline edit", command=ACCEPT, arguments=[offered.id]
        ),
    }


def _id_of(item: object) -> str | None:
    """Give the id of an edit that the editor speaks of, ``None`` if it is none of ours."""
    command = item.get("command") if isinstance(item, Mapping) else None
    arguments = command.get("arguments") if isinstance(command, Mapping) else None
    if not isinstance(arguments, list | tuple) or not arguments:
        return None
    return arguments[0] if isinstance(arguments[0], str) else None
