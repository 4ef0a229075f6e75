"""Wraps an engine for one session, so that what it is asked is recorded where the user wants it.

For one session and not at loading: an engine may be shared, and others did not ask for this.
"""

import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

from dgemma_engine.types import InfillResult, JointResult, Span, SpanCheck
from dgemma_ls.files import FileError
from dgemma_ls.hashes import model_hash
from dgemma_ls.models import model_folder
from dgemma_ls.recording import ARGUMENTS, RecordedRequest, Texts, record, record_path
from dgemma_ls.settings import Settings

log = logging.getLogger(__name__)

E = TypeVar("E")
Verdicts = dict[Texts, tuple[Span, ...]]

_numbers = itertools.count(1)  # of this process, whose id is in a record's name too


def recorded(engine: E, settings: Settings) -> E:
    """Give an engine that records what it is asked, or the same one if nobody wants that.

    Args:
        engine: as the session got it.
        settings: of that session; ``record_dir`` names the folder.
    """
    return cast(E, _Recorder(engine, settings)) if settings.record_dir else engine


class _Recorder:
    """Passes everything on, and writes a record of each request for texts."""

    def __init__(self, engine: Any, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def infill(
        self, prefix: str, suffix: str, *, check: SpanCheck | None = None, **options: Any
    ) -> InfillResult:
        """Find texts, as the engine does, and record question and answer."""
        verdicts: Verdicts = {}
        result: InfillResult = self._engine.infill(
            prefix, suffix, check=_noted(check, verdicts), **options
        )
        self._keep("infill", {"prefix": prefix, "suffix": suffix, **options}, verdicts, result)
        return result

    def rewrite(
        self, prefix: str, text: str, suffix: str, *, check: SpanCheck | None = None, **options: Any
    ) -> InfillResult:
        """Find texts like another, and record."""
        verdicts: Verdicts = {}
        result: InfillResult = self._engine.rewrite(
            prefix, text, suffix, check=_noted(check, verdicts), **options
        )
        texts = {"prefix": prefix, "text": text, "suffix": suffix}
        self._keep("rewrite", {**texts, **options}, verdicts, result)
        return result

    def infill_jointly(
        self,
        text: str,
        spans: Sequence[Span],
        *,
        accept: Callable[[tuple[str, ...]], bool] | None = None,
        **options: Any,
    ) -> JointResult:
        """Find texts for several gaps, and record."""
        verdicts: Verdicts = {}

        def noted(texts: tuple[str, ...]) -> bool:
            accepted = accept is None or accept(texts)
            verdicts[texts] = () if accepted else (Span(start=0, end=len(texts[0])),)
            return accepted

        result: JointResult = self._engine.infill_jointly(
            text, spans, accept=None if accept is None else noted, **options
        )
        self._keep("infill_jointly", {"text": text, "spans": spans, **options}, verdicts, result)
        return result

    def _keep(
        self,
        task: str,
        arguments: dict[str, Any],
        verdicts: Verdicts,
        result: InfillResult | JointResult,
    ) -> None:
        try:
            request = RecordedRequest(
                task=task,
                arguments={name: it for name, it in arguments.items() if name in ARGUMENTS[task]},
                verdicts=verdicts,
                settings=asdict(self._settings),
                model_sha256=model_hash(model_folder(self._settings.model)),
            )
            folder = Path(self._settings.record_dir).expanduser()
            record(request, result, record_path(folder, next(_numbers)))
        except FileError as err:
            # A record that is not written is no reason to withhold a suggestion.
            log.warning("request not recorded: error=%s", type(err).__name__)


class _Noting:
    """A check that notes what it said: the engine goes on by it, so a repetition needs it."""

    def __init__(self, check: SpanCheck, verdicts: Verdicts) -> None:
        self._check, self._verdicts = check, verdicts

    def bad_spans(self, text: str) -> tuple[Span, ...]:
        bad = self._check.bad_spans(text)
        self._verdicts[text] = bad
        return bad


def _noted(check: SpanCheck | None, verdicts: Verdicts) -> SpanCheck | None:
    return None if check is None else _Noting(check, verdicts)
