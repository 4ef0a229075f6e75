"""``textDocument/codeAction`` and its resolve, for all groups of features that offer some.

An action is a stub without its edit where the client can have that resolved: only what is chosen
is worked out. Elsewhere it is a command.
"""

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_ls.handlers import rewrite_actions
from dgemma_ls.handlers.actions import Resolved, action_support
from dgemma_ls.protocol import DgemmaServer, starts_at_once


def register(server: DgemmaServer) -> None:
    """Register the requests."""
    providers = {rewrite_actions.NAME: rewrite_actions.provider(server)}
    kinds = [kind for provider in providers.values() for kind in provider.kinds]

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True),
    )
    def code_action(
        params: types.CodeActionParams,
    ) -> list[types.CodeAction | types.Command]:
        support = action_support(server.client_capabilities)
        found = [action for provider in providers.values() for action in provider.offer(params)]
        if support.literals:
            return list(found)
        return [action.command for action in found if action.command is not None]

    @server.feature(types.CODE_ACTION_RESOLVE)
    @starts_at_once
    def resolve(action: types.CodeAction) -> Resolved:
        data = action.data
        if not isinstance(data, dict) or data.get("by") not in providers:
            raise rpc.JsonRpcInvalidParams("This code action is none of this server's.")
        return providers[data["by"]].resolve(action, data)
