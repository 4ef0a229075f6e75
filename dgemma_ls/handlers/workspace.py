"""The workspace: its folders at the start, and its ignore files when they change."""

from lsprotocol import types

from dgemma_ls import convert
from dgemma_ls.privacy import IGNORE_NAMES
from dgemma_ls.protocol import DgemmaServer


def register(server: DgemmaServer) -> None:
    """Have the folders read at ``initialize``, and ignore files watched where the client can.

    Ignore files are looked at before each use, so that a client that cannot watch them loses no
    more than a status that changes by itself.
    """

    def prepare(params: types.InitializeParams) -> None:
        server.open_session.workspace.change_folders(added=convert.to_workspace_folders(params))

    def start() -> None:
        workspace = server.client_capabilities.workspace
        watching = None if workspace is None else workspace.did_change_watched_files
        if watching is not None and watching.dynamic_registration:
            watchers = [types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in IGNORE_NAMES]
            server.in_background(
                server.subscribe(
                    types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                    types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
                )
            )

    server.at_initialize.append(prepare)
    server.at_initialized.append(start)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed(params: types.DidChangeWatchedFilesParams) -> None:
        server.open_session.review()
