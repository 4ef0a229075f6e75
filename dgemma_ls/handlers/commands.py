"""Commands that belong to no feature: ``dgemma.cancelAll``."""

from dgemma_ls.protocol import DgemmaServer

CANCEL_ALL = "dgemma.cancelAll"


def register(server: DgemmaServer) -> None:
    """Register the command."""

    @server.command(CANCEL_ALL)
    def cancel_all() -> None:
        server.open_session.cancel_all()
