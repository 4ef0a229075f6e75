"""Our edits → ``WorkspaceEdit``s, as well as a client understands them. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from lsprotocol import types

from dgemma_ls import convert
from dgemma_ls.questions import View
from dgemma_ls.types import Edit

_ANNOTATION = "dgemma"  # the id, within one workspace edit


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSupport:
    """What a client can do with a workspace edit.

    Attributes:
        applies: whether the server may send one by itself.
        versions: whether it heeds the version that an edit is for.
        annotations: whether it can describe an edit, and ask about it.
        metadata: whether it wants to know that it is a refactoring.
    """

    applies: bool
    versions: bool
    annotations: bool
    metadata: bool


def edit_support(capabilities: types.ClientCapabilities) -> EditSupport:
    """Read what a client says of itself."""
    workspace = capabilities.workspace or types.WorkspaceClientCapabilities()
    edits = workspace.workspace_edit or types.WorkspaceEditClientCapabilities()
    return EditSupport(
        applies=bool(workspace.apply_edit),
        versions=bool(edits.document_changes),
        annotations=edits.change_annotation_support is not None,
        metadata=bool(edits.metadata_support),
    )


def to_workspace_edit(
    view: View,
    edits: Sequence[Edit],
    support: EditSupport,
    *,
    label: str,
    description: str,
    ask_first: bool = False,
) -> types.WorkspaceEdit:
    """Convert edits of one version of one document.

    Args:
        view: the document at that version.
        edits: not overlapping.
        support: what the client can do; without versions the edit is for whatever text it has.
        label: what the change is, for a preview.
        description: more of it.
        ask_first: whether the editor should ask before it applies the edits.
    """
    uri, version = view.snapshot.uri, view.snapshot.version
    plain = [
        types.TextEdit(range=convert.to_range(view.range_of(edit.span)), new_text=edit.new_text)
        for edit in edits
    ]
    if not support.versions:
        return types.WorkspaceEdit(changes={uri: plain})
    document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    if not support.annotations:
        change = types.TextDocumentEdit(text_document=document, edits=plain)
        return types.WorkspaceEdit(document_changes=[change])
    annotated = [
        types.AnnotatedTextEdit(annotation_id=_ANNOTATION, range=edit.range, new_text=edit.new_text)
        for edit in plain
    ]
    annotation = types.ChangeAnnotation(
        label=label, description=description, needs_confirmation=ask_first
    )
    return types.WorkspaceEdit(
        document_changes=[types.TextDocumentEdit(text_document=document, edits=annotated)],
        change_annotations={_ANNOTATION: annotation},
    )
