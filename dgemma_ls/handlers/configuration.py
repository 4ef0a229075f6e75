"""The ``dgemma`` section of the editor's configuration: at the start, and whenever it changes.

Pulled where the client can (``workspace/configuration``), else taken as it is pushed. What a
section says counts on top of ``initializationOptions``, and nothing of the section before it.
"""

import logging
from typing import Any

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_ls.protocol import DgemmaServer
from dgemma_ls.settings import Settings, update_settings

log = logging.getLogger(__name__)

_SECTION = "dgemma"


def register(server: DgemmaServer) -> None:
    """Register for changes, and have the configuration read once all is set up."""
    configuration = _Configuration(server)
    server.at_initialized.append(configuration.start)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def changed(params: types.DidChangeConfigurationParams) -> None:
        configuration.change(params.settings)


class _Configuration:
    """What was said at the start, what has been complained about, and which answer counts."""

    def __init__(self, server: DgemmaServer) -> None:
        self._server = server
        self._at_start = Settings()
        self._told: set[str] = set()
        self._n_pulls = 0

    def start(self) -> None:
        self._at_start = self._server.open_session.settings
        self._told = set(self._server.complaints)
        workspace = self._server.client_capabilities.workspace
        if workspace is None:
            return
        changes = workspace.did_change_configuration
        if changes is not None and changes.dynamic_registration:
            self._server.in_background(
                self._server.subscribe(
                    types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                    types.DidChangeConfigurationRegistrationOptions(section=_SECTION),
                )
            )
        if workspace.configuration:
            self._server.in_background(self._pull())

    def change(self, pushed: object) -> None:
        """Pull the section; of a client that cannot give it, take what it pushed."""
        workspace = self._server.client_capabilities.workspace
        if workspace is not None and workspace.configuration:
            self._server.in_background(self._pull())
        elif isinstance(pushed, dict) and _SECTION in pushed:
            self._apply(pushed[_SECTION])

    async def _pull(self) -> None:
        self._n_pulls += 1
        number = self._n_pulls
        item = types.ConfigurationItem(section=_SECTION)
        try:
            answer: Any = await self._server.workspace_configuration_async(
                types.ConfigurationParams(items=[item])
            )
        except rpc.JsonRpcException as err:
            log.warning("no configuration: %s", type(err).__name__)
            return
        if number == self._n_pulls and isinstance(answer, list | tuple):
            self._apply(answer[0] if answer else None)

    def _apply(self, section: object) -> None:
        settings, complaints = update_settings(self._at_start, section)
        for complaint in complaints:
            if complaint not in self._told:
                self._told.add(complaint)
                self._server.tell(complaint, types.MessageType.Warning)
        self._server.open_session.configure(settings)
