"""An editor's session from open to exit, in every position encoding, with pytest-lsp.

The engine is a fake whose computations end when they are told to, so that cancelling and
superseding are tested without luck; ``test_real_model.py`` has the same path on the real one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient
from pytest_lsp.client import register_lsp_features
from pytest_lsp.protocol import LanguageClientProtocol

from .conftest import FAKE_SERVER, server_environment

pytestmark = pytest.mark.e2e

URI = "file:///a.py"
# Characters of 1, 2, 3 and 4 bytes in UTF-8; the last is a surrogate pair in UTF-16.
ODD = "a\u00e9\u20ac\U0001f980"
UNITS = {"utf-8": 1 + 2 + 3 + 4, "utf-16": 1 + 1 + 1 + 2, "utf-32": 4}


class TracingProtocol(LanguageClientProtocol):
    """Counts how often each request was answered."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: list[str | int] = []
        self.answered: Counter[str | int] = Counter()

    def _send_data(self, data: Any) -> None:
        if hasattr(data, "method") and hasattr(data, "id"):
            self.asked.append(data.id)
        super()._send_data(data)

    def handle_message(self, message: Any) -> None:
        if hasattr(message, "id") and not hasattr(message, "method"):
            self.answered[message.id] += 1
        super().handle_message(message)


def make_client() -> LanguageClient:
    client = LanguageClient(protocol_cls=TracingProtocol, converter_factory=default_converter)
    register_lsp_features(client)
    return client


@pytest_lsp.fixture(
    params=["utf-8", "utf-16", "utf-32"],
    config=ClientServerConfig(
        server_command=FAKE_SERVER, client_factory=make_client, server_env=server_environment()
    ),
)
async def client(lsp_client: LanguageClient, request: Any) -> AsyncIterator[None]:
    """A client that has ``x = `` open; after the test it shuts down and its trace is checked."""
    encoding = request.param
    result = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(
                general=types.GeneralClientCapabilities(position_encodings=[encoding])
            )
        )
    )
    assert result.capabilities.position_encoding == encoding
    lsp_client.encoding = encoding
    open_document(lsp_client, "x = \n")
    yield
    await lsp_client.shutdown_session()
    assert lsp_client._server.returncode == 0
    assert lsp_client.protocol.answered == Counter(lsp_client.protocol.asked)
    assert lsp_client.messages == []


def open_document(client: LanguageClient, text: str, version: int = 1) -> None:
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(
            text_document=types.TextDocumentItem(
                uri=URI, language_id="python", version=version, text=text
            )
        )
    )


def type_text(client: LanguageClient, text: str, line: int, character: int, version: int) -> None:
    at = types.Position(line=line, character=character)
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=URI, version=version),
            content_changes=[
                types.TextDocumentContentChangePartial(
                    range=types.Range(start=at, end=at), text=text
                )
            ],
        )
    )


def complete(
    client: LanguageClient,
    line: int,
    character: int,
    *,
    invoked: bool = True,
    msg_id: str | None = None,
) -> asyncio.Future[types.InlineCompletionList]:
    kind = types.InlineCompletionTriggerKind
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=URI),
        position=types.Position(line=line, character=character),
        context=types.InlineCompletionContext(
            trigger_kind=kind.Invoked if invoked else kind.Automatic
        ),
    )
    return asyncio.ensure_future(
        client.protocol.send_request_async("textDocument/inlineCompletion", params, msg_id)
    )


async def journal(client: LanguageClient, wait_for: str) -> list[str]:
    return await client.protocol.send_request_async("fake/journal", {"wait_for": wait_for})


@pytest.mark.parametrize("invoked", [True, False], ids=["invoked", "automatic"])
@pytest.mark.asyncio
async def test_open_type_complete(client: LanguageClient, invoked: bool) -> None:
    units = UNITS[client.encoding]
    # x = "…" + ║, typed piece by piece behind characters that each encoding counts differently.
    type_text(client, f'"{ODD}"', 0, 4, version=2)
    type_text(client, " + ", 0, 4 + units + 2, version=3)
    cursor = 4 + units + 2 + 3

    result = await complete(client, 0, cursor, invoked=invoked)

    at = types.Position(line=0, character=cursor)
    assert [item.insert_text for item in result.items] == ["value", "other"]
    assert [item.range for item in result.items] == [types.Range(start=at, end=at)] * 2
    assert f'start x = "{ODD}" + ' in await journal(client, f'stable x = "{ODD}" + ')


@pytest.mark.asyncio
async def test_what_is_typed_along_is_offered_on_in_the_right_place(
    client: LanguageClient,
) -> None:
    units = UNITS[client.encoding]
    open_document(client, f'f("{ODD}", )\n', version=2)
    cursor = 3 + units + 3
    first = await complete(client, 0, cursor)
    type_text(client, "va", 0, cursor, version=3)

    (rest,) = (await complete(client, 0, cursor + 2, invoked=False)).items

    def span(start: int) -> types.Range:
        return types.Range(
            start=types.Position(line=0, character=start),
            end=types.Position(line=0, character=start + 1),
        )

    assert [(item.insert_text, item.range) for item in first.items] == [
        ("value)", span(cursor)),
        ("other)", span(cursor)),
    ]
    assert (rest.insert_text, rest.range) == ("lue)", span(cursor + 2))
    assert rest.command == first.items[0].command


@pytest.mark.asyncio
async def test_a_cancelled_request_is_answered_once_and_its_computation_stops(
    client: LanguageClient,
) -> None:
    open_document(client, "slow = \n", version=2)
    request = complete(client, 0, 7, msg_id="to-cancel")
    await journal(client, "start slow = ")

    client.cancel_request(types.CancelParams(id="to-cancel"))

    with pytest.raises(JsonRpcException) as caught:
        await request
    assert caught.value.code == -32800
    assert "cancelled slow = " in await journal(client, "cancelled slow = ")


@pytest.mark.asyncio
async def test_a_newer_request_supersedes_the_older_one(client: LanguageClient) -> None:
    open_document(client, "slow = \ny = \n", version=2)
    older = complete(client, 0, 7)
    await journal(client, "start slow = ")

    newer = complete(client, 1, 4, invoked=False)

    assert not (await older).items
    assert [item.insert_text for item in (await newer).items] == ["value", "other"]
    assert "cancelled slow = " in await journal(client, "stable y = ")


@pytest.mark.asyncio
async def test_typing_on_stops_what_is_computed_for_the_old_text(client: LanguageClient) -> None:
    open_document(client, "slow = \n", version=2)
    request = complete(client, 0, 7)
    await journal(client, "start slow = ")

    type_text(client, "1", 0, 7, version=3)

    assert not (await request).items
    await journal(client, "cancelled slow = ")


@pytest.mark.asyncio
async def test_a_burst_of_typing_and_requests_answers_each_one_and_the_last_with_text(
    client: LanguageClient,
) -> None:
    """Each request must see the text as it was when it was sent, and only the last one counts."""
    requests = []
    for n_typed in range(20):
        type_text(client, "7+"[n_typed % 2], 0, 4 + n_typed, version=2 + n_typed)
        requests.append(complete(client, 0, 5 + n_typed, invoked=False))
    results = await asyncio.gather(*requests)

    assert [item.insert_text for item in results[-1].items] == ["value", "other"]
    at = types.Position(line=0, character=24)
    assert results[-1].items[0].range == types.Range(start=at, end=at)
    for entry in await journal(client, "stable x = " + "7+" * 10):
        assert "7++" not in entry


@pytest.mark.asyncio
async def test_a_document_that_is_not_open_has_an_empty_list(client: LanguageClient) -> None:
    client.text_document_did_close(
        types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=URI))
    )

    result = await complete(client, 0, 4)

    assert not result.items
