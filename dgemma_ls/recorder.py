"""Wraps an engine for one session, so that what it is asked is recorded where the user wants it.

For one session and not at loading: an engine may be shared, and others did not ask for this.
"""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

from dgemma_engine.types import InfillResult
from dgemma_ls.files import FileError
from dgemma_ls.models import model_folder
from dgemma_ls.recording import RecordedRequest, model_hash, record, record_path
from dgemma_ls.settings import Settings

log = logging.getLogger(__name__)

E = TypeVar("E")

_numbers = itertools.count(1)  # of this process, whose id is in a record's name too


def recorded(engine: E, settings: Settings) -> E:
    """Give an engine that records what it is asked, or the same one if nobody wants that.

    Args:
        engine: as the session got it.
        settings: of that session; ``record_dir`` names the folder.
    """
    return cast(E, _Recorder(engine, settings)) if settings.record_dir else engine


class _Recorder:
    """Passes everything on, and writes a record of each request."""

    def __init__(self, engine: Any, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def infill(
        self,
        prefix: str,
        suffix: str,
        *,
        context: str = "",
        lengths: Sequence[int] | None = None,
        multiline: bool = False,
        n_candidates: int = 3,
        seed: int = 0,
        **others: Any,
    ) -> InfillResult:
        """Find texts, as the engine does, and record question and answer."""
        options = {"lengths": lengths, "multiline": multiline, "n_candidates": n_candidates}
        result: InfillResult = self._engine.infill(
            prefix, suffix, context=context, seed=seed, **options, **others
        )
        try:
            request = RecordedRequest(
                prefix=prefix,
                suffix=suffix,
                multiline=multiline,
                lengths=None if lengths is None else tuple(lengths),
                n_candidates=n_candidates,
                seed=seed,
                context=context,
                settings=asdict(self._settings),
                model_sha256=model_hash(model_folder(self._settings.model)),
            )
            folder = Path(self._settings.record_dir).expanduser()
            record(request, result, record_path(folder, next(_numbers)))
        except FileError as err:
            # A record that is not written is no reason to withhold a suggestion.
            log.warning("request not recorded: error=%s", type(err).__name__)
        return result
