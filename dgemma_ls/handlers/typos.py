"""Commands on typos: mend a document, mend one, add a word to a dictionary, ignore a place."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from lsprotocol import types

from dgemma_engine.types import CancelToken
from dgemma_engine.worker import Priority
from dgemma_ls import gate
from dgemma_ls.features.fill import Infiller
from dgemma_ls.files import FileError
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.handlers.typo_actions import ADD_WORD, FIX_DOCUMENT, FIX_TYPO, IGNORE
from dgemma_ls.handlers.typo_edits import checked_edits, chosen, describe
from dgemma_ls.proofread.dictionaries import WordFile, directive_edit, is_word
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.protocol import DgemmaServer, or_failed, starts_at_once
from dgemma_ls.questions import View
from dgemma_ls.types import Edit, Refusal, RefusalReason, Snapshot
from dgemma_ls.workspace_edits import edit_support

_Work = Coroutine[Any, Any, None]


def register(server: DgemmaServer) -> None:
    """Register the commands."""

    @server.command(FIX_DOCUMENT)
    @starts_at_once
    def fix_document(params: types.ExecuteCommandParams) -> _Work:
        given = Arguments(params, ("uri", "version", "tier"))
        tier = given.choice("tier", tuple(tier.value for tier in Tier), Tier.SAFE.value)
        view = _editable(server, given)
        return _fix_document(server, view, Tier(tier), params.work_done_token)

    @server.command(FIX_TYPO)
    @starts_at_once
    def fix_typo(params: types.ExecuteCommandParams) -> _Work:
        given = Arguments(params, ("uri", "version", "start", "end", "new", "all"))
        view = _editable(server, given)
        return _fix(server, view, chosen(server, view, given))

    @server.command(ADD_WORD)
    @starts_at_once
    def add_word(params: types.ExecuteCommandParams) -> _Work:
        given = Arguments(params, ("uri", "word", "scope"))
        word = given.text("word")
        if not is_word(word):
            raise editing.failed("A dictionary takes single words of at most 60 letters.")
        scope = given.choice("scope", ("user", "workspace", "file"), "user")
        if scope == "file":
            return _add_to_file(server, _editable(server, given), word)
        return _add(server, _dictionary(server, scope, given.text("uri")), word)

    @server.command(IGNORE)
    @starts_at_once
    def ignore(params: types.ExecuteCommandParams) -> _Work:
        given = Arguments(params, ("uri", "version", "start", "end"))
        view = editing.look(server, given.text("uri"), given.whole("version"))
        place = given.whole("start"), given.whole("end")
        proofreading = server.open_proofreading
        found = proofreading.found(view.snapshot.uri)
        for fix in () if found is None else found.items:
            if (fix.span.start, fix.span.end) == place:
                proofreading.ignore(view.snapshot.uri, fix)
        return asyncio.sleep(0)


def _editable(server: DgemmaServer, given: Arguments) -> View:
    if not edit_support(server.client_capabilities).applies:
        raise editing.failed("This editor does not let a server edit documents.")
    return editing.look(server, given.text("uri"), given.whole("version"))


async def _fix_document(
    server: DgemmaServer, view: View, tier: Tier, token: types.ProgressToken | None
) -> None:
    uri = view.snapshot.uri
    with editing.shown_progress(server, "Looking for typos", token) as report:
        fixes = await or_failed(server.open_proofreading.complete(uri, on_share=report))
    if fixes is None:
        raise editing.content_modified()
    wanted = [fix for fix in fixes if tier is Tier.SUGGEST or fix.tier is Tier.SAFE]
    if not wanted:
        server.tell("There are no typos to mend here.", types.MessageType.Info)
        return
    await _fix(server, view, wanted, ask_first=tier is Tier.SUGGEST)


async def _fix(
    server: DgemmaServer, view: View, fixes: list[Fix], *, ask_first: bool = False
) -> None:
    edits = await checked_edits(server, view, fixes)
    await editing.apply(
        server,
        view,
        edits,
        label="Fix typo (dgemma)" if len(edits) == 1 else "Fix typos (dgemma)",
        description=describe(edits),
        ask_first=ask_first,
    )


def _dictionary(server: DgemmaServer, scope: str, uri: str) -> WordFile:
    if scope == "user":
        file = server.open_proofreading.dictionary(None)
    elif not server.open_session.settings.trusted:
        raise editing.failed("This workspace is not trusted; nothing is written into it.")
    else:
        file = server.open_proofreading.dictionary(uri)
    if file is None:
        raise editing.failed("The document lies in no workspace folder.")
    return file


async def _add(server: DgemmaServer, file: WordFile, word: str) -> None:
    try:
        await asyncio.to_thread(file.add, word)
    except FileError as err:
        raise editing.failed(editing.sentence(str(err))) from err
    server.open_proofreading.look_again()


async def _add_to_file(server: DgemmaServer, view: View, word: str) -> None:
    question = server.open_session.admit(view, feature="typos", priority=Priority.INVOKED)
    task = partial(_directive, view.snapshot, word)
    edit = await editing.compute(server, question, task, title="Adding a word")
    label = f"Add “{word}” to the words of this file"
    await editing.apply(server, view, [edit], label=label, description=label)


def _directive(
    snapshot: Snapshot, word: str, engine: Infiller, token: CancelToken
) -> Edit | Refusal:
    edit = directive_edit(snapshot, word)
    if edit is None:
        return Refusal(reason=RefusalReason.NOT_EXPRESSIBLE)
    return gate.check(snapshot, edit)
