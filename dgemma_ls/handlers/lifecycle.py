"""How a connection begins: initialize, loading the model, watching the editor's process."""

import asyncio
from functools import partial

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_ls import convert, watchdog
from dgemma_ls.protocol import DgemmaServer
from dgemma_ls.questions import explain
from dgemma_ls.session import Session
from dgemma_ls.settings import read_settings
from dgemma_ls.suggestions import Suggestions
from dgemma_ls.syntax import wants_multiline

_LOADING = "dgemma/loading"  # the progress token
_EXIT_PATIENCE_S = 1.0  # usually the end of input is noticed meanwhile, and this is not needed
_ORPHANED = 1  # as exit without shutdown


def register(server: DgemmaServer) -> None:
    """Register ``initialize`` and ``initialized``."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        settings, server.complaints = read_settings(params.initialization_options)
        encoding = convert.to_encoding(server.workspace.position_encoding)
        server.session = Session(settings, encoding, server.load, hire=server.hire)
        server.suggestions = Suggestions(server.session, wants_multiline=wants_multiline)
        for prepare in server.at_initialize:
            prepare(params)
        if params.process_id is not None and server.owns_process:
            end = partial(watchdog.end_process, _ORPHANED, _EXIT_PATIENCE_S)
            watchdog.watch_process(params.process_id, end)

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        for complaint in server.complaints:
            server.tell(complaint, types.MessageType.Warning)
        for start in server.at_initialized:
            start()
        server.in_background(_warm_up(server))


async def _warm_up(server: DgemmaServer) -> None:
    """Load the engine; a model that cannot be loaded is the user's to know, once."""
    session = server.open_session
    session.on_status()  # before it starts, as it may be loaded in no time
    loading = asyncio.wrap_future(session.warm_up().future)
    window = server.client_capabilities.window
    if window is not None and window.work_done_progress:
        server.in_background(_show_loading(server, loading))
    try:
        await loading
    except Exception as err:  # noqa: BLE001 - whatever kept it from loading; the worker logged it
        server.tell(explain(err), types.MessageType.Error)
    session.on_status()


async def _show_loading(server: DgemmaServer, loading: asyncio.Future[None]) -> None:
    """Show progress while the model is loaded; a client may refuse that."""
    progress = server.work_done_progress
    try:
        await progress.create_async(_LOADING)
    except rpc.JsonRpcException:
        return
    progress.begin(_LOADING, types.WorkDoneProgressBegin(title="Loading the model"))
    await asyncio.wait({loading})
    failed = loading.cancelled() or loading.exception() is not None
    message = "It could not be loaded." if failed else "Ready."
    progress.end(_LOADING, types.WorkDoneProgressEnd(message=message))
