"""Another word in place of one that the model would not expect. Pure but for the engine."""

from dgemma_engine.types import CancelToken, Place
from dgemma_ls.features import fill
from dgemma_ls.features.fill import Infiller
from dgemma_ls.features.gating import GateCheck
from dgemma_ls.features.surprise import Doubt, Reader
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot

_N_CANDIDATES = 4


def fix(
    engine: Infiller, snapshot: Snapshot, doubt: Doubt, *, cancel: CancelToken
) -> Edit | Refusal:
    """Have the model fill a word anew.

    Its own infill and the alternative that it found likelier are compared with what stands there;
    the best of those that pass the gate is the answer.

    Args:
        engine: of the model.
        snapshot: the document.
        doubt: of this snapshot.
        cancel: asked at each denoising step.
    """
    check = GateCheck(snapshot, doubt.span)
    request = fill.prepare(snapshot, doubt.span)
    result = engine.infill(
        request.prefix, request.suffix, n_candidates=_N_CANDIDATES, check=check, cancel=cancel
    )
    if cancel.stop_reason() is not None:
        return Refusal(reason=RefusalReason.CANCELLED)
    texts = [candidate.text for candidate in result.candidates]
    texts = [text for text in dict.fromkeys([*texts, doubt.alternative]) if text != doubt.text]
    if isinstance(engine, Reader) and texts:
        place = Place(span=doubt.span, texts=tuple(texts))
        for scores in engine.compare(snapshot.text, [place], cancel=cancel):
            texts.sort(key=dict(zip(texts, scores, strict=True)).__getitem__, reverse=True)
    for text in texts:
        verdict = check.verdict(text)
        if isinstance(verdict, Edit) and verdict.new_text != doubt.text:
            return verdict
    return check.first_refusal or Refusal(reason=RefusalReason.NO_CANDIDATE)
