"""Code actions as groups of features offer them, and what a client can do with them."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

Offer = list[types.CodeAction] | Awaitable[list[types.CodeAction]]
Resolved = Coroutine[Any, Any, types.CodeAction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who offers code actions.

    Attributes:
        kinds: of its actions.
        offer: gives them, at once or after a short wait; an action to be resolved has ``data``
            with ``by``, the name under which the provider is registered.
        resolve: is called while the message is received, with the action and its ``data``.
    """

    kinds: tuple[str, ...]
    offer: Callable[[types.CodeActionParams], Offer]
    resolve: Callable[[types.CodeAction, dict[str, Any]], Resolved]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSupport:
    """What a client can do with code actions.

    Attributes:
        literals: whether it knows anything but commands.
        resolves: whether it has the edit resolved.
        disabled: whether it shows actions that cannot be used, and why.
        tags: whether it marks what a model wrote.
        annotations: whether it heeds annotations of an action's edit.
    """

    literals: bool
    resolves: bool
    disabled: bool
    tags: bool
    annotations: bool


def action_support(capabilities: types.ClientCapabilities) -> ActionSupport:
    """Read what a client says of itself."""
    documents = capabilities.text_document or types.TextDocumentClientCapabilities()
    actions = documents.code_action or types.CodeActionClientCapabilities()
    resolvable = actions.resolve_support.properties if actions.resolve_support else ()
    tags = actions.tag_support.value_set if actions.tag_support else ()
    return ActionSupport(
        literals=actions.code_action_literal_support is not None,
        resolves="edit" in resolvable and bool(actions.data_support),
        disabled=bool(actions.disabled_support),
        tags=types.CodeActionTag.LlmGenerated in tags,
        annotations=bool(actions.honors_change_annotations),
    )


def wanted(kind: str, only: "Sequence[types.CodeActionKind | str] | None") -> bool:
    """Say whether a client that filters by kind wants this one; a kind stands for its subkinds."""
    if not only:
        return True
    kinds = (str(getattr(each, "value", each)) for each in only)
    return any(not each or kind == each or kind.startswith(f"{each}.") for each in kinds)
