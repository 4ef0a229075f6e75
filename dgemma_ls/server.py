"""The protocol's side: wires pygls to a :class:`~dgemma_ls.session.Session` and runs it on stdio.

Here and in ``convert.py`` alone is pygls known. It does the JSON-RPC loop and the dispatch; text
synchronisation, cancellation and the order of initialize and shutdown are ours, where pygls 2.1
has faults (marked at the spot).
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from lsprotocol import types
from pygls import exceptions as rpc
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter
from pygls.protocol.json_rpc import JsonRPCRequestMessage
from pygls.protocol.language_server import lsp_method

from dgemma_ls import convert, loading, logs
from dgemma_ls.features.fill import Infiller
from dgemma_ls.files import FileError
from dgemma_ls.session import RequestFailedError, Session, explain
from dgemma_ls.settings import Settings, read_settings

log = logging.getLogger(__name__)

T = TypeVar("T")
Load = Callable[[Settings], Infiller]

_EXIT_PATIENCE_S = 0.5  # for the engine's current step; an editor expects us gone within two
_REQUEST_FAILED = -32803  # LSP 3.18, LSPErrorCodes.RequestFailed; pygls has no class for it


def load_engine(settings: Settings) -> Infiller:
    """Load the model that the settings name; runs on the engine thread."""
    return loading.load_engine(settings.model, device=settings.device)


class DgemmaServer(LanguageServer):
    """A pygls server with a session; pygls' own workspace holds no documents."""

    def __init__(self, load: Load) -> None:
        super().__init__(
            "dgemma-ls",
            _version(),
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=_Protocol,
            converter_factory=default_converter,
            max_workers=1,  # reads stdin, nothing else
        )
        self.load = load
        self.complaints: tuple[str, ...] = ()
        self.session: Session | None = None  # from initialize on
        self.background: set[asyncio.Task[None]] = set()  # the loop itself keeps weak references

    @property
    def open_session(self) -> Session:
        """The session; the protocol lets nothing through that would find none."""
        assert self.session is not None
        return self.session

    def tell(self, message: str, kind: types.MessageType) -> None:
        """Show the user one sentence, and log it."""
        log.warning("told the user: %s", message)
        self.window_show_message(types.ShowMessageParams(type=kind, message=message))

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Log what went wrong; pygls' default would show it to the user."""
        log.warning("%s: %s", source.__name__, type(error).__name__, exc_info=error)

    def shutdown(self) -> None:
        """Stop the loop. Unlike pygls' own, wait for no thread: the reader may hang in a read."""
        if self._stop_event is not None:
            self._stop_event.set()
        self.thread_pool.shutdown(wait=False)


def create_server(load: Load = load_engine) -> DgemmaServer:
    """Build a server; nothing is loaded before a client has initialized it.

    Args:
        load: makes the engine from the settings; called on the engine thread.
    """
    server = DgemmaServer(load)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        settings, server.complaints = read_settings(params.initialization_options)
        encoding = convert.to_encoding(server.workspace.position_encoding)
        server.session = Session(settings, encoding, server.load)

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        for complaint in server.complaints:
            server.tell(complaint, types.MessageType.Warning)
        task = asyncio.ensure_future(_warm_up(server))
        server.background.add(task)
        task.add_done_callback(server.background.discard)

    # Without options pygls would not advertise it.
    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    @_starts_at_once
    def inline_completion(
        params: types.InlineCompletionParams,
    ) -> Coroutine[Any, Any, types.InlineCompletionList]:
        suggestions = server.open_session.inline(
            params.text_document.uri,
            convert.to_position(params.position),
            invoked=convert.is_invoked(params.context),
        )
        return _inline_answer(suggestions)

    return server


def _version() -> str:
    try:
        return version("dgemma-ls")
    except PackageNotFoundError:  # run from a checkout
        return "0"


async def _inline_answer(suggestions: Coroutine[Any, Any, Any]) -> types.InlineCompletionList:
    try:
        return convert.to_inline_list(await suggestions)
    except RequestFailedError as err:
        raise rpc.JsonRpcException(message=str(err), code=_REQUEST_FAILED) from err


async def _warm_up(server: DgemmaServer) -> None:
    """Load the engine; a model that cannot be loaded is the user's to know, once."""
    try:
        await asyncio.wrap_future(server.open_session.warm_up().future)
    except Exception as err:  # noqa: BLE001 - whatever kept it from loading; the worker logged it
        server.tell(explain(err), types.MessageType.Error)


def _starts_at_once(handler: Callable[..., T]) -> Callable[..., T]:
    """Mark a plain handler that returns a coroutine: it runs at receipt, that later."""
    handler.starts_at_once = True  # type: ignore[attr-defined]
    return handler


class _Protocol(LanguageServerProtocol):
    """pygls' protocol with our documents, and without its departures from the specification."""

    _server: DgemmaServer

    @property
    def exit_code(self) -> int:
        """0 after a proper shutdown, else 1 (LSP 3.18, exit)."""
        return 0 if self._shutdown else 1

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Decode a message; pygls never answers a request whose params it cannot decode."""
        try:
            return super().structure_message(data)
        except rpc.JsonRpcException as err:
            if "method" not in data or not isinstance(data.get("id"), str | int):
                raise
            return JsonRPCRequestMessage(data["id"], data["method"], self.VERSION, params=err)

    def handle_message(self, message: Any) -> None:
        """Let a message through if it may come now; pygls takes all before, none after."""
        refusal = self._refusal(message)
        if refusal is None:
            super().handle_message(message)
        elif hasattr(message, "id"):
            self._send_response(message.id, error=refusal.to_response_error())
        else:
            log.warning("ignored %s: %s", message.method, refusal.message)

    def _refusal(self, message: Any) -> rpc.JsonRpcException | None:
        method = getattr(message, "method", None)
        if method is None or method == types.EXIT:
            return None
        if isinstance(getattr(message, "params", None), rpc.JsonRpcException):
            return cast(rpc.JsonRpcException, message.params)
        initialized = self._server.session is not None
        if not initialized and method != types.INITIALIZE:
            return rpc.JsonRpcServerNotInitialized("The server is not initialized.")
        if self._shutdown:
            return rpc.JsonRpcInvalidRequest("The server is shut down.")
        if initialized and method == types.INITIALIZE:
            return rpc.JsonRpcInvalidRequest("The server is initialized already.")
        return None

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[..., Any],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Run a handler; pygls starts an ``async`` one only after later messages were handled."""
        if not getattr(handler, "starts_at_once", False):
            super()._execute_handler(msg_id, handler, callback, args, kwargs)
            return
        task = asyncio.ensure_future(handler(*(args or ()), **(kwargs or {})))
        self._request_futures[msg_id] = task  # where $/cancelRequest looks
        task.add_done_callback(callback)

    # The text is kept by the session: pygls splits lines at form feeds and the like, and its cost
    # per change grows with the document. These are no generators as their originals are: of each
    # generator that handles a notification pygls keeps a future for ever.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take up a document."""
        item = params.text_document
        language_id = str(getattr(item.language_id, "value", item.language_id))
        self._server.open_session.open(item.uri, item.version, language_id, item.text)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Apply changes; of an unknown document they are ignored (pygls would show an error)."""
        document = params.text_document
        changes = convert.to_changes(params.content_changes)
        self._server.open_session.change(document.uri, document.version, changes)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a document."""
        self._server.open_session.close(params.text_document.uri)

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: object) -> None:  # type: ignore[override]  # no generator
        """Answer what is open and stop the engine; only exit may follow."""
        self._server.open_session.shut_down(0.0)
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: object) -> None:  # type: ignore[override]  # no generator
        """Leave the loop; pygls raises SystemExit inside it and loses the exit code."""
        self._server.shutdown()


def serve_stdio(
    *,
    log_file: str | Path | None = None,
    verbose: bool = False,
    create: Callable[[], DgemmaServer] = create_server,
) -> int:
    """Serve one client over stdin and stdout until it says exit or goes away.

    Args:
        log_file: where to log instead of stderr.
        verbose: whether to log debug records.
        create: makes the server.

    Returns:
        The exit code, if no thread is left. Otherwise the process ends here and at once: a
        step in a kernel cannot be interrupted, nor a read.

    Raises:
        FileError: if the log file cannot be opened.
    """
    stdout = _take_stdout()
    try:
        logs.set_up(log_file=log_file, verbose=verbose)
    except OSError as err:
        raise FileError(f"cannot log to {log_file}: {err.strerror}; choose another file") from err
    server = create()
    server.start_io(sys.stdin.buffer, stdout)
    code = cast(_Protocol, server.protocol).exit_code
    if server.session is not None:
        server.session.shut_down(_EXIT_PATIENCE_S)
    log.info("bye: code=%d", code)
    if threading.active_count() > 1:
        logging.shutdown()
        os._exit(code)
    return code


def _take_stdout() -> BinaryIO:
    """Keep stdout for the protocol; from here on all that is printed goes to stderr.

    On the level of file descriptors, as libraries in C++ print past ``sys.stdout``.
    """
    sys.stdout.flush()
    protocol_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(protocol_fd, "wb")
