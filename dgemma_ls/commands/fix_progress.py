"""How far ``fix`` has come, on one line of a terminal."""

import sys


class Counter:
    """How far it has come, on one line of a terminal; nothing elsewhere."""

    def __init__(self, n_files: int, *, quiet: bool) -> None:
        self._n_files, self._n_done = n_files, 0
        self._on = sys.stderr.isatty() and not quiet

    def show(self, n_done: int) -> None:
        """Say how many files are done."""
        self._n_done = n_done
        if self._n_files > 1:
            self._draw(n_done / self._n_files, f"{n_done}/{self._n_files} files")

    def show_part(self, n_done: int, n_parts: int) -> None:
        """Say how much of a long file is done."""
        if n_done:
            share = (self._n_done + n_done / n_parts) / self._n_files
            self._draw(share, f"{n_done}/{n_parts} doubtful places")

    def end(self) -> None:
        """Leave an empty line."""
        if self._on:
            sys.stderr.write("\r" + " " * 70 + "\r")

    def _draw(self, share: float, said: str) -> None:
        if self._on:
            n_full = int(24 * share)
            sys.stderr.write(f"\r{'█' * n_full + '░' * (24 - n_full)} {said:<40}")
            sys.stderr.flush()
