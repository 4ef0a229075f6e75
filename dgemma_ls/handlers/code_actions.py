"""``textDocument/codeAction`` and its resolve, for all groups of features that offer some.

An action is a stub without its edit where the client can have that resolved: only what is chosen
is worked out. Elsewhere it is a command.
"""

from collections.abc import Coroutine
from typing import Any

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_ls.handlers import rewrite_actions, surprise_actions, typo_actions
from dgemma_ls.handlers.actions import Offer, Resolved, action_support
from dgemma_ls.protocol import DgemmaServer, starts_at_once

Actions = list[types.CodeAction | types.Command]


def register(server: DgemmaServer) -> None:
    """Register the requests."""
    providers = {
        typo_actions.NAME: typo_actions.provider(server),
        surprise_actions.NAME: surprise_actions.provider(server),
        rewrite_actions.NAME: rewrite_actions.provider(server),
    }
    kinds = list(dict.fromkeys(kind for each in providers.values() for kind in each.kinds))

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True),
    )
    @starts_at_once
    def code_action(params: types.CodeActionParams) -> Coroutine[Any, Any, Actions]:
        # Taken while the message is received: each sees the document as the client does.
        offers = [provider.offer(params) for provider in providers.values()]
        return _gathered(offers, literals=action_support(server.client_capabilities).literals)

    @server.feature(types.CODE_ACTION_RESOLVE)
    @starts_at_once
    def resolve(action: types.CodeAction) -> Resolved:
        data = action.data
        if not isinstance(data, dict) or data.get("by") not in providers:
            raise rpc.JsonRpcInvalidParams("This code action is none of this server's.")
        return providers[data["by"]].resolve(action, data)


async def _gathered(offers: list[Offer], *, literals: bool) -> Actions:
    found: list[types.CodeAction] = []
    for offer in offers:
        found += offer if isinstance(offer, list) else await offer
    if literals:
        return list(found)
    return [action.command for action in found if action.command is not None]
