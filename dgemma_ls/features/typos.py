"""Find and fix typos: :func:`prepare` before the engine call, :func:`finish` after it.

Both are pure: no engine, clock, file or protocol in here. A run without a model goes from one to
the other; with one, :func:`ask` and :func:`take_answers` stand around the engine's ``compare``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from dgemma_ls.proofread.decide import load_weights
from dgemma_ls.proofread.fixes import Examination, Knowledge, decide, examine
from dgemma_ls.proofread.fragments import check_fragment, check_fragments
from dgemma_ls.proofread.left_alone import PROSE_SUFFIXES
from dgemma_ls.proofread.model_says import Questions, add_answers, questions
from dgemma_ls.proofread.types import Fix, RegionKind, Tier
from dgemma_ls.syntax import PLAINTEXT, language_for_path
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class TypoOptions:
    """What is wanted.

    Attributes:
        tier: ``SAFE`` for what may be fixed without asking, ``SUGGEST`` for all.
        kinds: of regions to look at.
        words: that are right, whatever lists say.
        strings: look at the strings of programs too.
    """

    tier: Tier = Tier.SUGGEST
    kinds: frozenset[RegionKind] = frozenset(RegionKind)
    words: frozenset[str] = frozenset()
    strings: bool = False


def prepare(snapshot: Snapshot, knowledge: Knowledge, options: TypoOptions) -> Examination:
    """Find what may be wrong in a document, and what might stand there.

    Args:
        snapshot: the document.
        knowledge: of English.
        options: of the user.
    """
    return examine(
        snapshot,
        knowledge,
        words=options.words,
        kinds=options.kinds,
        strings=options.strings,
    )


def ask(examination: Examination) -> Questions:
    """Give what to ask the engine's ``compare``: what is plain without it is left out.

    Args:
        examination: from :func:`prepare`.
    """
    table = load_weights(with_model=False)
    return questions(examination.document, examination.proposals, table)


def take_answers(
    examination: Examination, asked: Questions, scores: Sequence[tuple[float, ...]]
) -> Examination:
    """Add what the engine said.

    Args:
        examination: from :func:`prepare`.
        asked: from :func:`ask`.
        scores: of the engine; fewer than asked where it was cancelled.

    Returns:
        The examination, now to be decided ``with_model``.
    """
    add_answers(asked, scores)
    return examination


def finish(
    examination: Examination, options: TypoOptions, *, with_model: bool = False
) -> list[Fix]:
    """Decide which of it is wrong.

    Args:
        examination: from :func:`prepare`.
        options: of the user.
        with_model: whether the engine's say was added to the examination.

    Returns:
        Fixes in document order that do not overlap; :func:`edit_of` makes edits of them.
    """
    return decide(examination, with_model=with_model, tier=options.tier)


def edit_of(snapshot: Snapshot, fix: Fix) -> Edit | Refusal:
    """Make the edit that one fix is, or say why it must not be made.

    Args:
        snapshot: the document that the fix was found in.
        fix: one of :func:`finish`.
    """
    return check_fragment(snapshot, _edit(snapshot, fix))


def passing(snapshot: Snapshot, fixes: Sequence[Fix]) -> list[Fix]:
    """Give the fixes that may be made all at once; what would break the document is left out.

    Args:
        snapshot: the document that the fixes were found in.
        fixes: of it; they do not overlap.
    """
    edits = [_edit(snapshot, fix) for fix in fixes]
    passed = {edit.span for edit in check_fragments(snapshot, edits)}
    return [fix for fix in fixes if fix.span in passed]


def edits_of(snapshot: Snapshot, fixes: Sequence[Fix]) -> tuple[Edit, ...] | Refusal:
    """Make the edits of fixes that may be made all at once, or say why none may.

    Args:
        snapshot: the document that the fixes were found in.
        fixes: of it; they do not overlap.
    """
    if len(fixes) == 1:
        edit = edit_of(snapshot, fixes[0])
        return edit if isinstance(edit, Refusal) else (edit,)
    edits = tuple(_edit(snapshot, fix) for fix in passing(snapshot, fixes))
    return edits or Refusal(reason=RefusalReason.CHANGES_STRUCTURE)


def apply_all(snapshot: Snapshot, fixes: Sequence[Fix]) -> str:
    """Apply fixes that passed.

    Args:
        snapshot: the document that the fixes were found in.
        fixes: of :func:`passing`.
    """
    text, at = snapshot.text, 0
    pieces = []
    for fix in sorted(fixes, key=lambda fix: (fix.span.start, fix.span.end)):
        pieces += [text[at : fix.span.start], fix.new]
        at = fix.span.end
    return "".join([*pieces, text[at:]])


def _edit(snapshot: Snapshot, fix: Fix) -> Edit:
    return Edit(uri=snapshot.uri, version=snapshot.version, span=fix.span, new_text=fix.new)


def only(names: Collection[str]) -> frozenset[RegionKind]:
    """Give the kinds of regions that ``prose`` and ``comments`` stand for; all for none."""
    kinds = {
        "prose": (RegionKind.PROSE, RegionKind.VALUE),
        "comments": (RegionKind.COMMENT, RegionKind.DOCSTRING, RegionKind.STRING),
    }
    return frozenset(kind for name in names for kind in kinds[name]) or frozenset(RegionKind)


def language_for_proofreading(path: str | PurePath) -> str | None:
    """Give the language id by which a file is proofread; ``None`` for what readers do not read.

    A file of unknown suffix is a program or data, not prose.
    """
    language_id = language_for_path(path)
    if language_id != PLAINTEXT or PurePath(path).suffix.lower() in PROSE_SUFFIXES:
        return language_id
    return None
