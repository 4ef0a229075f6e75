"""Typos and surprising words as diagnostics: asked for where the client can, else sent to it."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from hashlib import blake2b
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import exceptions as rpc

from dgemma_engine.types import Span
from dgemma_ls import convert
from dgemma_ls.checking import Checking, Findings
from dgemma_ls.features.surprise import Doubt
from dgemma_ls.handlers.surprise_diagnostics import surprise_diagnostics
from dgemma_ls.privacy import path_of
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.proofreading import Proofreading
from dgemma_ls.protocol import DgemmaServer, starts_at_once
from dgemma_ls.questions import View
from dgemma_ls.surprises import Surprises

SOURCE = "dgemma"
MOST = 200  # of one document; how many there are beyond is said in one more
_PATIENCE_S = 1.0  # before a client that can be told to ask again gets what there is
_SURPRISE_PATIENCE_S = 10.0  # where it cannot, as a long program is looked through for minutes
_SERVER_CANCELLED = -32802  # LSP 3.18, LSPErrorCodes

Reports = Coroutine[Any, Any, types.DocumentDiagnosticReport]


def register(server: DgemmaServer) -> None:
    """Have typos looked for from ``initialize`` on."""

    def prepare(params: types.InitializeParams) -> None:
        proofreading = Proofreading(
            server.open_session, folder_of=lambda uri: folder_of(server, uri)
        )
        server.proofreading = proofreading
        server.surprises = surprises = Surprises(server.open_session)
        documents = params.capabilities.text_document
        if documents is not None and documents.diagnostic is not None:
            _answer(server, params.capabilities)
        elif documents is not None and documents.publish_diagnostics is not None:
            with_version = bool(documents.publish_diagnostics.version_support)
            publisher = _Publisher(server, with_version=with_version)
            proofreading.on_news = surprises.on_news = publisher.publish

    server.at_initialize.append(prepare)


def folder_of(server: DgemmaServer, uri: str) -> Path | None:
    """Give the innermost workspace folder that a document lies in."""
    roots = list(server.workspace.folders) or [server.workspace.root_uri]
    try:
        path = path_of(uri)
        folders = [path_of(root) for root in roots if root]
    except ValueError:
        return None
    if path is None:
        return None
    around = [folder for folder in folders if folder is not None and path.is_relative_to(folder)]
    return max(around, key=lambda folder: len(folder.parts), default=None)


def view_of(server: DgemmaServer, found: Findings[Any]) -> View | None:
    """Give the view in which what was found is to be said; ``None`` if the document moved on."""
    view = server.open_session.look(found.snapshot.uri)
    return view if view is not None and view.snapshot is found.snapshot else None


def range_of(view: View, fix: Fix) -> types.Range:
    """Give the range to mark: of a word that is lacking, the word after it."""
    start, end = fix.span.start, fix.span.end
    text = view.snapshot.text
    if start == end:
        while end < len(text) and (text[end].isalnum() or end == start):
            end += 1
    return convert.to_range(view.range_of(Span(start=start, end=end)))


def to_diagnostic(view: View, fix: Fix) -> types.Diagnostic:
    """Convert a typo."""
    safe = fix.tier is Tier.SAFE
    return types.Diagnostic(
        range=range_of(view, fix),
        message=message(fix),
        severity=types.DiagnosticSeverity.Information if safe else types.DiagnosticSeverity.Hint,
        code=fix.kind.value,
        source=SOURCE,
        data={
            "replacement": fix.new,
            "score": round(fix.probability, 3),
            "tier": fix.tier.value,
            "version": view.snapshot.version,
        },
    )


def message(fix: Fix) -> str:
    """Say what may be wrong."""
    old, new = fix.old.strip(), fix.new.strip()
    match fix.kind:
        case Kind.DOUBLED:
            return f"“{fix.word}” stands here twice."
        case _ if not old:
            return f"“{new}” may be missing here."
        case _ if not new:
            return f"“{old}” may be one word too many."
        case Kind.NONWORD:
            return f"“{old}” may be misspelt; “{new}”?"
        case _:
            return f"“{old}” may be the wrong word; “{new}”?"


def _said(server: DgemmaServer, uri: str) -> list[types.Diagnostic]:
    """Give all that is known of a document; nothing of what it was before."""
    items: list[types.Diagnostic] = []
    found = server.open_proofreading.found(uri)
    if found is not None and (view := view_of(server, found)) is not None:
        items += _diagnostics(view, found)
    surprises = server.open_surprises.found(uri)
    if surprises is not None and (view := view_of(server, surprises)) is not None:
        items += surprise_diagnostics(view, surprises)
    return items


def _diagnostics(view: View, found: Findings[Fix]) -> list[types.Diagnostic]:
    shown = [to_diagnostic(view, fix) for fix in found.items[:MOST]]
    if len(found.items) > MOST:
        shown.append(
            types.Diagnostic(
                range=range_of(view, found.items[MOST]),
                message=f"{len(found.items) - MOST} more typos from here on are not shown.",
                severity=types.DiagnosticSeverity.Information,
                code="more",
                source=SOURCE,
            )
        )
    return shown


def _answer(server: DgemmaServer, capabilities: types.ClientCapabilities) -> None:
    """Answer ``textDocument/diagnostic``."""
    workspace = capabilities.workspace
    can_refresh = bool(
        workspace and workspace.diagnostics and workspace.diagnostics.refresh_support
    )
    answers = _Answers(server, patience_s=_PATIENCE_S if can_refresh else None)
    proofreading, surprises = server.open_proofreading, server.open_surprises
    if can_refresh:
        proofreading.on_news = surprises.on_news = answers.note_news

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            identifier=SOURCE, inter_file_dependencies=False, workspace_diagnostics=False
        ),
    )
    @starts_at_once
    def diagnostic(params: types.DocumentDiagnosticParams) -> Reports:
        uri = params.text_document.uri
        known = proofreading.found(uri), surprises.found(uri)
        return answers.report(uri, *known, params.previous_result_id)


class _Answers:
    """Answers a client that asks, and has it ask again when there is something else to say.

    Args:
        server: the server.
        patience_s: how long a look may take before what there is is the answer; ``None`` for a
            client that cannot be told to ask again: it waits for all.
    """

    def __init__(self, server: DgemmaServer, *, patience_s: float | None) -> None:
        self._server = server
        self._patience_s = patience_s
        self._said: dict[str, str] = {}  # result ids
        self._n_asking: Counter[str] = Counter()

    async def report(
        self,
        uri: str,
        first: Findings[Fix] | None,
        surprises: Findings[Doubt] | None,
        previous: str | None,
    ) -> types.DocumentDiagnosticReport:
        """Wait for the look through a document, and give what was found.

        Args:
            uri: the document.
            first: the typos that were known when it was asked about.
            surprises: likewise.
            previous: the last result that the client has.
        """
        self._n_asking[uri] += 1
        try:
            start_s = asyncio.get_running_loop().time()
            patience_s = self._patience_s
            until_s = None if patience_s is None else start_s + patience_s
            await _settled(self._server.open_proofreading, uri, first, until_s)
            until_s = start_s + (_SURPRISE_PATIENCE_S if patience_s is None else patience_s)
            await _settled(self._server.open_surprises, uri, surprises, until_s)
        finally:
            self._n_asking[uri] -= 1
        items = _said(self._server, uri)
        result_id = self._said[uri] = _result_id(items)
        if result_id == previous:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
        return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=result_id)

    def note_news(self, uri: str) -> None:
        """Have the client ask again if what it was told last is no longer so."""
        if self._server.open_session.document(uri) is None:
            self._said.pop(uri, None)
            return
        found = self._server.open_proofreading.found(uri)
        unsettled = found is not None and found.pending
        if uri not in self._said or self._n_asking[uri] or unsettled:
            return
        result_id = _result_id(_said(self._server, uri))
        if result_id != self._said[uri]:
            self._said[uri] = result_id  # asked for once
            self._server.in_background(self._refresh())

    async def _refresh(self) -> None:
        await self._server.workspace_diagnostic_refresh_async(None)


async def _settled(
    source: Checking[Any], uri: str, first: Findings[Any] | None, until_s: float | None
) -> None:
    """Wait until all is known that was asked about, or the time is up.

    Raises:
        JsonRpcException: if the document has changed meanwhile.
    """
    loop = asyncio.get_running_loop()
    found = first
    while first is not None and found is not None and found.pending:
        left_s = None if until_s is None else until_s - loop.time()
        if left_s is not None and left_s <= 0:
            return
        await source.news(uri, timeout_s=left_s)
        found = source.found(uri)
        if found is not None and found.snapshot is not first.snapshot:
            raise rpc.JsonRpcException(
                message="The document has changed.",
                code=_SERVER_CANCELLED,
                data={"retriggerRequest": True},
            )


class _Publisher:
    """Sends diagnostics to a client that does not ask; nothing to say is said once."""

    def __init__(self, server: DgemmaServer, *, with_version: bool) -> None:
        self._server = server
        self._with_version = with_version
        self._last: dict[str, str] = {}

    def publish(self, uri: str) -> None:
        """Send what is known of a document, if it is something else than last time."""
        found = self._server.open_proofreading.found(uri)
        items = _said(self._server, uri)
        result_id = _result_id(items)
        if result_id == self._last.get(uri, _result_id([])):
            return
        self._last[uri] = result_id
        if not items:
            del self._last[uri]
        known = found or self._server.open_surprises.found(uri)
        version = known.snapshot.version if known is not None and self._with_version else None
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=items, version=version)
        )


def _result_id(items: list[types.Diagnostic]) -> str:
    """Name what is said: the same for the same."""
    facts = [(repr(one.range), one.message, str(one.severity)) for one in items]
    return blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
