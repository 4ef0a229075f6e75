"""Documents and what is proposed for them."""

from collections.abc import Collection

from dgemma_ls.proofread.fixes import Knowledge, decide, examine
from dgemma_ls.proofread.proposals import Proposal
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.types import Snapshot


def snapshot(text: str, language_id: str = "plaintext") -> Snapshot:
    return Snapshot(uri="file:///a", version=0, language_id=language_id, text=text)


def proposals(
    text: str, language_id: str = "plaintext", *, words: Collection[str] = ()
) -> tuple[Proposal, ...]:
    return examine(snapshot(text, language_id), Knowledge.load(), words=words).proposals


def fixes(
    text: str,
    language_id: str = "plaintext",
    *,
    words: Collection[str] = (),
    tier: Tier = Tier.SUGGEST,
) -> list[Fix]:
    found = examine(snapshot(text, language_id), Knowledge.load(), words=words)
    return decide(found, tier=tier)


def changes(text: str, language_id: str = "plaintext") -> list[tuple[str, str]]:
    return [(fix.old, fix.new) for fix in fixes(text, language_id)]
