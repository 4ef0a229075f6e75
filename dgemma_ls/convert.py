"""Our values ↔ lsprotocol's. Knows no documents and decides nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lsprotocol import types

from dgemma_ls.documents import Change
from dgemma_ls.features import popup
from dgemma_ls.notebooks import Cell
from dgemma_ls.positions import Position, PositionEncoding
from dgemma_ls.privacy import path_of
from dgemma_ls.shown import Item
from dgemma_ls.status import Status
from dgemma_ls.suggestions import Offered

ACCEPTED = "dgemma.accepted"
"""The command that an editor runs when somebody takes an item."""


def to_position(position: types.Position) -> Position:
    """Convert a position; the encoding stays the editor's."""
    return Position(line=position.line, character=position.character)


def to_ends(span: types.Range) -> tuple[Position, Position]:
    """Convert the protocol's range into its two ends."""
    return to_position(span.start), to_position(span.end)


def to_range(span: tuple[Position, Position]) -> types.Range:
    """Convert a pair of positions into the protocol's range."""
    start, end = span
    return types.Range(
        start=types.Position(line=start.line, character=start.character),
        end=types.Position(line=end.line, character=end.character),
    )


def to_encoding(kind: types.PositionEncodingKind | str | None) -> PositionEncoding:
    """Convert the agreed position encoding; UTF-16 if none was agreed on."""
    if kind is None:
        return PositionEncoding.UTF16
    return PositionEncoding(kind.value if isinstance(kind, types.PositionEncodingKind) else kind)


def to_changes(events: Sequence[types.TextDocumentContentChangeEvent]) -> list[Change]:
    """Convert the events of one didChange, in their order."""
    changes = []
    for event in events:
        if isinstance(event, types.TextDocumentContentChangePartial):
            span = (to_position(event.range.start), to_position(event.range.end))
            changes.append(Change(event.text, span))
        else:
            changes.append(Change(event.text))
    return changes


def to_cells(cells: Sequence[types.NotebookCell]) -> list[Cell]:
    """Convert the cells of a notebook."""
    return [
        Cell(uri=cell.document, is_code=cell.kind == types.NotebookCellKind.Code) for cell in cells
    ]


def to_folders(uris: Sequence[str]) -> list[Path]:
    """Convert the URIs of workspace folders into absolute paths; what is none is left out."""
    folders = []
    for uri in uris:
        try:
            path = path_of(uri)
        except ValueError:
            continue
        if path is not None and path.is_absolute():
            folders.append(path)
    return folders


def to_workspace_folders(params: types.InitializeParams) -> list[Path]:
    """Give the folders that a client names at the start, in whatever way it does."""
    if params.workspace_folders:
        return to_folders([folder.uri for folder in params.workspace_folders])
    root = params.root_uri or params.root_path
    return [] if root is None else to_folders([root])


def to_asked_uri(params: object) -> str | None:
    """Give the document that a ``dgemma/status`` is about; ``None`` if it names none."""
    document = params.get("textDocument") if isinstance(params, Mapping) else None
    uri = document.get("uri") if isinstance(document, Mapping) else None
    return uri if isinstance(uri, str) else None


def is_copilot_client(params: types.InitializeParams) -> bool:
    """Tell whether a client speaks the protocol of Copilot's server; it must introduce itself."""
    options = params.initialization_options
    return isinstance(options, Mapping) and "editorInfo" in options


def is_invoked(context: types.InlineCompletionContext) -> bool:
    """Tell whether a key asked for the completion, not mere typing."""
    return context.trigger_kind == types.InlineCompletionTriggerKind.Invoked


def to_selected(
    context: types.InlineCompletionContext,
) -> tuple[tuple[Position, Position], str] | None:
    """Convert what is chosen in the editor's popup into its range and text."""
    info = context.selected_completion_info
    if info is None:
        return None
    return (to_position(info.range.start), to_position(info.range.end)), info.text


def to_inline_items(offered: Sequence[Offered]) -> list[types.InlineCompletionItem]:
    """Convert suggestions.

    Each item says its range: without one, an editor would replace the word at the cursor. Its
    command tells us that it was taken.
    """
    return [
        types.InlineCompletionItem(
            insert_text=one.text,
            range=to_range(one.range),
            command=types.Command(title="Accepted", command=ACCEPTED, arguments=[one.id]),
        )
        for one in offered
    ]


def to_item_id(item: types.InlineCompletionItem) -> str | None:
    """Give the id of an item that the editor speaks of, ``None`` if it is none of ours."""
    command = item.command
    if command is None or command.command != ACCEPTED or not command.arguments:
        return None
    return command.arguments[0] if isinstance(command.arguments[0], str) else None


def to_completion_list(offered: Sequence[Offered]) -> types.CompletionList:
    """Convert suggestions into a popup's items, behind everything that other servers offer.

    Incomplete, so that the editor asks again when somebody types on.
    """
    items = [
        types.CompletionItem(
            label=popup.label(one.word, one.text),
            kind=types.CompletionItemKind.Text,
            sort_text=f"~{number:02}",
            filter_text=one.word + one.text,
            preselect=False,
            insert_text_format=types.InsertTextFormat.PlainText,
            # With the begun word: Kate replaces that word whatever the range says, and others
            # compare it with the text from the range's start.
            text_edit=types.TextEdit(
                range=to_range((one.word_start, one.range[1])), new_text=one.word + one.text
            ),
            command=types.Command(title="Accepted", command=ACCEPTED, arguments=[one.id]),
            data=one.id,
        )
        for number, one in enumerate(offered)
    ]
    return types.CompletionList(is_incomplete=True, items=items)


def to_documentation(item: Item) -> types.MarkupContent:
    """Convert what is known of an item into what the editor shows beside it."""
    text = popup.describe(item.before, item.after, item.origin)
    return types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)


def to_status(status: Status) -> dict[str, object]:
    """Convert a status into the parameters of ``didChangeStatus``."""
    return {"busy": status.busy, "kind": status.kind.value, "message": status.message}
