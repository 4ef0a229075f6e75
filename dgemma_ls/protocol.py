"""pygls with our documents, and without its departures from the specification.

pygls does the JSON-RPC loop and the dispatch; synchronisation (:mod:`dgemma_ls.protocol_sync`),
cancellation and the order of initialize and shutdown are ours, where pygls 2.1 has faults (marked
at the spot).
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar, cast

from lsprotocol import types
from pygls import exceptions as rpc
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter
from pygls.protocol.json_rpc import JsonRPCRequestMessage
from pygls.protocol.language_server import lsp_method

from dgemma_ls import protocol_ext
from dgemma_ls.engines import Worker
from dgemma_ls.features.fill import Infiller
from dgemma_ls.proofreading import Proofreading
from dgemma_ls.protocol_sync import Synchronisation
from dgemma_ls.questions import RequestFailedError
from dgemma_ls.session import Session
from dgemma_ls.settings import Settings
from dgemma_ls.suggestions import Suggestions
from dgemma_ls.surprises import Surprises
from dgemma_ls.version import VERSION

log = logging.getLogger(__name__)

T = TypeVar("T")
Load = Callable[[Settings], Infiller]
Hire = Callable[[Settings], Worker]

REQUEST_FAILED = -32803  # LSP 3.18, LSPErrorCodes.RequestFailed; pygls has no class for it


class _NoRefusals(logging.Filter):
    """Leaves out what pygls calls an error although the client got its answer on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, rpc.JsonRpcException)


logging.getLogger("pygls.protocol.json_rpc").addFilter(_NoRefusals())


class DgemmaServer(LanguageServer):
    """A pygls server with a session; pygls' own workspace holds no documents."""

    def __init__(self, load: Load, hire: Hire | None = None) -> None:
        super().__init__(
            "dgemma-ls",
            VERSION,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            notebook_document_sync=types.NotebookDocumentSyncOptions(
                notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")]
            ),
            protocol_cls=Protocol,
            converter_factory=default_converter,
            max_workers=1,  # reads stdin, nothing else
        )
        self.load = load
        self.hire = hire
        self.at_initialize: list[Callable[[types.InitializeParams], None]] = []
        self.at_initialized: list[Callable[[], None]] = []
        self.owns_process = False  # whether the process is there for this connection alone
        self.complaints: tuple[str, ...] = ()
        self.session: Session | None = None  # from initialize on
        self.suggestions: Suggestions | None = None  # as session
        self.proofreading: Proofreading | None = None  # as session
        self.surprises: Surprises | None = None  # as session
        self.experimental: dict[str, Any] = {}  # what the server can do beyond the protocol
        self.background: set[asyncio.Future[None]] = set()  # the loop itself keeps weak references

    @property
    def open_session(self) -> Session:
        """The session; the protocol lets nothing through that would find none."""
        assert self.session is not None
        return self.session

    @property
    def open_suggestions(self) -> Suggestions:
        """As :attr:`open_session`."""
        assert self.suggestions is not None
        return self.suggestions

    @property
    def open_proofreading(self) -> Proofreading:
        """As :attr:`open_session`."""
        assert self.proofreading is not None
        return self.proofreading

    @property
    def open_surprises(self) -> Surprises:
        """As :attr:`open_session`."""
        assert self.surprises is not None
        return self.surprises

    def tell(self, message: str, kind: types.MessageType) -> None:
        """Show the user one sentence, and log it."""
        log.warning("told the user: %s", message)
        self.window_show_message(types.ShowMessageParams(type=kind, message=message))

    async def subscribe(self, method: str, options: Any) -> None:
        """Ask the client for notifications; one that refuses sends none."""
        registration = types.Registration(id=method, method=method, register_options=options)
        try:
            await self.client_register_capability_async(
                types.RegistrationParams(registrations=[registration])
            )
        except rpc.JsonRpcException as err:
            log.warning("not registered: method=%s error=%s", method, type(err).__name__)

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Log what went wrong; pygls' default would show it to the user."""
        refused = isinstance(error, rpc.JsonRpcException)  # on purpose: nobody needs the stack
        exc_info = None if refused else error
        log.warning("%s: %s", source.__name__, type(error).__name__, exc_info=exc_info)

    def shutdown(self) -> None:
        """Stop the loop. Unlike pygls' own, wait for no thread: the reader may hang in a read."""
        if self._stop_event is not None:
            self._stop_event.set()
        self.thread_pool.shutdown(wait=False)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that no request waits for; its errors are logged."""
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Future[None]) -> None:
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("background work failed", exc_info=error)


def starts_at_once(handler: Callable[..., T]) -> Callable[..., T]:
    """Mark a plain handler that returns a coroutine: it runs at receipt, that later."""
    handler.starts_at_once = True  # type: ignore[attr-defined]
    return handler


async def or_failed(answer: Coroutine[Any, Any, T]) -> T:
    """Answer with RequestFailed where somebody waits for what the engine cannot give."""
    try:
        return await answer
    except RequestFailedError as err:
        raise rpc.JsonRpcException(message=str(err), code=REQUEST_FAILED) from err


class Protocol(Synchronisation):
    """pygls' protocol with our documents, and without its departures from the specification."""

    _server: DgemmaServer

    @property
    def exit_code(self) -> int:
        """0 after a proper shutdown, else 1 (LSP 3.18, exit)."""
        return 0 if self._shutdown else 1

    def get_message_type(  # type: ignore[override]  # the original is cached
        self, method: str
    ) -> type[Any] | None:
        """Decode some messages into types of ours, as lsprotocol's lack a part."""
        return protocol_ext.MESSAGES.get(method) or super().get_message_type(method)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Leave it to :meth:`handle_message`: pygls calls this for each object in a message."""
        return data

    def handle_message(self, message: Any) -> None:
        """Let a message through if it may come now; pygls takes all before, none after."""
        decoded = self._decoded(message)
        if decoded is None:
            return
        refusal = self._refusal(decoded)
        if refusal is None:
            super().handle_message(decoded)
        elif hasattr(decoded, "id"):
            self._send_response(decoded.id, error=refusal.to_response_error())
        else:
            log.warning("ignored %s: %s", decoded.method, refusal.message)

    def _decoded(self, data: Any) -> Any | None:
        """Decode a message; ``None`` if it is none, or a notification or response gone wrong."""
        if not _is_message(data):
            log.warning("ignored what is no JSON-RPC message")
            return None
        if "method" in data and self.get_message_type(data["method"]) is None:
            data = {"params": None, **data}  # without any, pygls takes it for one gone wrong
        if data.get("method") == types.INITIALIZE:
            data = {**data, "params": protocol_ext.as_specified(data.get("params"))}
        try:
            return super().structure_message(data)
        except rpc.JsonRpcException as err:
            if "method" not in data or "id" not in data:
                log.warning("ignored what cannot be decoded")
                return None
            # pygls would never answer a request whose params it cannot decode.
            return JsonRPCRequestMessage(data["id"], data["method"], self.VERSION, params=err)

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

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Say as well what lies beyond the protocol; pygls has no place for that."""
        result = yield from super().lsp_initialize(params)
        result.capabilities.experimental = self._server.experimental or None
        return result

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    @starts_at_once
    def lsp_workspace__execute_command(  # type: ignore[override]  # no generator
        self, params: types.ExecuteCommandParams
    ) -> Coroutine[Any, Any, Any]:
        """Run a command; a waiting one of pygls' would go on after it was cancelled.

        One that starts at once gets the whole message, as it may want the progress token.
        """
        command = self.fm.commands.get(params.command)
        if command is None:
            raise rpc.JsonRpcInvalidParams(f"There is no command {params.command}.")
        if getattr(command, "starts_at_once", False):
            return cast("Coroutine[Any, Any, Any]", command(params))
        arguments = params.arguments or ()
        try:
            inspect.signature(command).bind(*arguments)
        except TypeError as err:
            raise rpc.JsonRpcInvalidParams(f"{params.command}: {err}.") from err
        return _done(command(*arguments))

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: object) -> None:  # type: ignore[override]  # no generator
        """Answer what is open and stop the engine; only exit may follow."""
        self._server.open_proofreading.close()
        self._server.open_surprises.close()
        self._server.open_suggestions.close()
        self._server.open_session.shut_down(0.0)
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: object) -> None:  # type: ignore[override]  # no generator
        """Leave the loop; pygls raises SystemExit inside it and loses the exit code."""
        self._server.shutdown()


async def _done(result: T) -> T:
    return result


def _is_message(data: Any) -> bool:
    """Say whether something is a request, a notification or a response (JSON-RPC 2.0, 4 and 5)."""
    if not isinstance(data, dict) or data.get("jsonrpc") != Protocol.VERSION:
        return False
    number = data.get("id")
    good_id = isinstance(number, str | int) and not isinstance(number, bool)
    if "method" in data:
        return isinstance(data["method"], str) and ("id" not in data or good_id)
    return good_id and ("result" in data or "error" in data)
