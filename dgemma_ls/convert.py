"""Our values ↔ lsprotocol's. Knows no documents and decides nothing."""

from collections.abc import Sequence

from lsprotocol import types

from dgemma_ls.documents import Change
from dgemma_ls.positions import Position, PositionEncoding


def to_position(position: types.Position) -> Position:
    """Convert a position; the encoding stays the editor's."""
    return Position(line=position.line, character=position.character)


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


def is_invoked(context: types.InlineCompletionContext) -> bool:
    """Tell whether a key asked for the completion, not mere typing."""
    return context.trigger_kind == types.InlineCompletionTriggerKind.Invoked


def to_inline_list(suggestions: Sequence[Change]) -> types.InlineCompletionList:
    """Convert suggestions; nothing to suggest is an empty list, as ``null`` keeps old ghost text.

    Each item says its range: without one, an editor would replace the word at the cursor.
    """
    return types.InlineCompletionList(
        items=[
            types.InlineCompletionItem(
                insert_text=suggestion.text,
                range=None if suggestion.range is None else to_range(suggestion.range),
            )
            for suggestion in suggestions
        ]
    )
