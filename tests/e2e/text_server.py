"""The real server on the embedded model, which also tells its texts: ``test/text``."""

import sys
from typing import Any

from dgemma_ls.server import DgemmaServer, create_server, serve_stdio


def tell_texts(server: DgemmaServer) -> DgemmaServer:
    """Have a server answer ``test/text`` with its text of a document."""

    @server.feature("test/text")
    def read_text(params: Any) -> str | None:
        snapshot = server.open_session.document(params.uri)
        return None if snapshot is None else snapshot.text

    return server


if __name__ == "__main__":
    sys.exit(serve_stdio(verbose=True, create=lambda: tell_texts(create_server())))
