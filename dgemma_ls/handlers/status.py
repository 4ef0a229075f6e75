"""``dgemma/status``: what the server is doing and how often what happened, for whoever asks.

About the document that was looked at last, or the one that the parameters name.
"""

from typing import Any

from dgemma_ls import convert, protocol_ext
from dgemma_ls.protocol import DgemmaServer


def register(server: DgemmaServer) -> None:
    """Register the request."""

    @server.feature(protocol_ext.STATUS)
    def status(params: Any) -> dict[str, object]:
        session = server.open_session
        uri = convert.to_asked_uri(params)
        return {
            **convert.to_status(session.status if uri is None else session.status_of(uri)),
            "model": session.settings.model,
            "device": session.settings.device,
            "counters": dict(sorted(session.counters.items())),
        }
