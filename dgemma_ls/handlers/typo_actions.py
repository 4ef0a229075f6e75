"""Code actions on typos: quick fixes where they stand, and ``source.fixAll.dgemma``."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from lsprotocol import types

from dgemma_engine.worker import Priority
from dgemma_ls import convert
from dgemma_ls.handlers import editing
from dgemma_ls.handlers.actions import Offer, Provider, Resolved, action_support, wanted
from dgemma_ls.handlers.arguments import Arguments
from dgemma_ls.handlers.diagnostics import range_of, to_diagnostic, view_of
from dgemma_ls.handlers.typo_edits import (
    checked,
    checked_each,
    checked_edits,
    chosen,
    same_word,
    workspace_edit,
)
from dgemma_ls.proofread.dictionaries import has_directive, is_word
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.proofread.types import Fix, Tier
from dgemma_ls.protocol import DgemmaServer, or_failed
from dgemma_ls.questions import View
from dgemma_ls.types import Refusal
from dgemma_ls.workspace_edits import edit_support

NAME = "typos"
QUICK = "quickfix"
FIX_ALL = "source.fixAll.dgemma"
FIX_TYPO, ADD_WORD, IGNORE = "dgemma.fixTypo", "dgemma.addWord", "dgemma.ignoreTypo"
FIX_DOCUMENT = "dgemma.fixDocument"

_MOST_AT_ONCE = 5  # typos of a selection that get quick fixes
_SAVE_PATIENCE_S = 0.3
_NO_SAFE = "There is no typo here that could be mended without asking."


def provider(server: DgemmaServer) -> Provider:
    """Give the code actions."""
    return Provider(
        kinds=(QUICK, FIX_ALL),
        offer=partial(_offer, server),
        resolve=partial(_resolve, server),
    )


def _offer(server: DgemmaServer, params: types.CodeActionParams) -> Offer:
    only = params.context.only
    found = server.open_proofreading.found(params.text_document.uri)
    view = server.open_session.look(params.text_document.uri) if found is None else None
    if found is not None:
        view = view_of(server, found)
    if view is None:
        return []
    # A source action is for menus and for saving, which ask for it by name.
    if only and wanted(FIX_ALL, only):
        return _fix_all(server, view, params)
    if found is None or not wanted(QUICK, only):
        return []
    span = view.span_between(convert.to_ends(params.range))
    here = [
        fix
        for fix in found.items
        if fix.span.start <= span.end and span.start <= view.offset_at(_end(view, fix))
    ]
    found_here = [it for fix in here[:_MOST_AT_ONCE] for it in _quick_fixes(server, view, fix)]
    return found_here if _can_wait(server) else _with_edits(server, view, found_here)


def _end(view: View, fix: Fix) -> Any:
    return convert.to_position(range_of(view, fix).end)


def _quick_fixes(server: DgemmaServer, view: View, fix: Fix) -> list[types.CodeAction]:
    uri, version = view.snapshot.uri, view.snapshot.version
    place = {"uri": uri, "version": version, "start": fix.span.start, "end": fix.span.end}
    actions = [
        _action(server, view, fix, _title(replace(fix, new=new)), place | {"new": new})
        for new in dict.fromkeys((fix.new, *fix.others))
    ]
    actions[0].is_preferred = fix.tier is Tier.SAFE
    if (n_same := len(same_word(server, fix, uri))) > 1:
        title = f"Fix all {n_same} occurrences of “{fix.old}” (dgemma)"
        actions.append(_action(server, view, fix, title, place | {"new": fix.new, "all": True}))
    if fix.kind is Kind.NONWORD and is_word(fix.word):
        for scope, where in _scopes(server, view).items():
            title = f"Add “{fix.word}” to the {where} (dgemma)"
            argument = {"uri": uri, "word": fix.word, "scope": scope}
            actions.append(_command(view, fix, title, ADD_WORD, argument))
    ignore = {key: place[key] for key in ("uri", "version", "start", "end")}
    actions.append(_command(view, fix, "Ignore here (dgemma)", IGNORE, ignore))
    return actions


def _can_wait(server: DgemmaServer) -> bool:
    """Say whether an edit may come after its action is chosen, in either way."""
    capabilities = server.client_capabilities
    return action_support(capabilities).resolves or edit_support(capabilities).applies


def _with_edits(
    server: DgemmaServer, view: View, actions: Sequence[types.CodeAction]
) -> Awaitable[list[types.CodeAction]]:
    """Put in the edits themselves, for a client such as Vim's ALE that takes them no other way."""
    groups = {
        number: tuple(chosen(server, view, _arguments(action.command.arguments or ())))
        for number, action in enumerate(actions)
        if action.command is not None and action.command.command == FIX_TYPO
    }

    async def answer() -> list[types.CodeAction]:
        question = server.open_session.admit(view, feature="typos", priority=Priority.INVOKED)
        task = partial(checked_each, view.snapshot, tuple(groups.values()))
        checked = await or_failed(server.open_session.answer(question, task))
        if isinstance(checked, Refusal):
            return []
        answers = dict(zip(groups, checked, strict=True))
        for number, edits in answers.items():
            if not isinstance(edits, Refusal):
                action = actions[number]
                action.edit = workspace_edit(server, view, edits, action.title)
                action.command = None
        return [
            action
            for number, action in enumerate(actions)
            if not isinstance(answers.get(number), Refusal)
        ]

    return answer()


def _scopes(server: DgemmaServer, view: View) -> dict[str, str]:
    """Give the dictionaries that a word can be added to."""
    scopes = {"user": "user's dictionary"}
    if server.open_session.settings.trusted:
        if server.open_proofreading.dictionary(view.snapshot.uri) is not None:
            scopes["workspace"] = "workspace's dictionary"
        language_id = view.snapshot.language_id
        if edit_support(server.client_capabilities).applies and has_directive(language_id):
            scopes["file"] = "words of this file"
    return scopes


def _title(fix: Fix) -> str:
    old, new = fix.old.strip(), fix.new.strip()
    if not old:
        return f"Insert “{new}” (dgemma)"
    return f"Change “{old}” to “{new}” (dgemma)" if new else f"Remove “{old}” (dgemma)"


def _action(
    server: DgemmaServer, view: View, fix: Fix, title: str, argument: dict[str, Any]
) -> types.CodeAction:
    """Make an action whose edit is worked out when it is chosen."""
    support = action_support(server.client_capabilities)
    if not support.resolves:
        return _command(view, fix, title, FIX_TYPO, argument)
    return types.CodeAction(
        title=title,
        kind=QUICK,
        diagnostics=[to_diagnostic(view, fix)],
        data={**argument, "by": NAME},
    )


def _command(
    view: View, fix: Fix, title: str, command: str, argument: dict[str, Any]
) -> types.CodeAction:
    return types.CodeAction(
        title=title,
        kind=QUICK,
        diagnostics=[to_diagnostic(view, fix)],
        command=types.Command(title=title, command=command, arguments=[argument]),
    )


def _fix_all(server: DgemmaServer, view: View, params: types.CodeActionParams) -> Offer:
    title = "Fix all safe typos (dgemma)"
    support = action_support(server.client_capabilities)
    is_asked = params.context.trigger_kind == types.CodeActionTriggerKind.Invoked
    if not (is_asked and _can_wait(server)):
        return _fix_all_now(server, view, title)
    argument = {"uri": view.snapshot.uri, "version": view.snapshot.version}
    if support.resolves:
        return [types.CodeAction(title=title, kind=FIX_ALL, data={**argument, "by": NAME})]
    argument = {"uri": view.snapshot.uri, "tier": Tier.SAFE.value}
    command = types.Command(title=title, command=FIX_DOCUMENT, arguments=[argument])
    return [types.CodeAction(title=title, kind=FIX_ALL, command=command)]


def _fix_all_now(server: DgemmaServer, view: View, title: str) -> Awaitable[list[types.CodeAction]]:
    """Give what is known already, soon or not at all: somebody saves a file."""
    found = server.open_proofreading.found(view.snapshot.uri)
    safe = [] if found is None else [fix for fix in found.items if fix.tier is Tier.SAFE]

    async def answer() -> list[types.CodeAction]:
        if not safe:
            return []
        question = server.open_session.admit(view, feature="typos", priority=Priority.INVOKED)
        task = partial(checked, view.snapshot, tuple(safe))
        try:
            async with asyncio.timeout(_SAVE_PATIENCE_S):
                edits = await or_failed(server.open_session.answer(question, task))
        except TimeoutError:
            return []
        if isinstance(edits, Refusal):
            return []
        action = types.CodeAction(title=title, kind=FIX_ALL)
        action.edit = workspace_edit(server, view, edits, title)
        return [action]

    return answer()


def _resolve(server: DgemmaServer, action: types.CodeAction, data: dict[str, Any]) -> Resolved:
    given = _arguments([data])
    view = editing.look(server, given.text("uri"), given.whole("version"))
    if action.kind == FIX_ALL:
        return _resolved_all(server, view, action)
    return _resolved(server, view, chosen(server, view, given), action)


def _arguments(arguments: Sequence[Any]) -> Arguments:
    """Read what an action carries."""
    params = types.ExecuteCommandParams(command=FIX_TYPO, arguments=arguments)
    return Arguments(params, ("uri", "version", "start", "end", "new", "all", "by"))


async def _resolved(
    server: DgemmaServer, view: View, fixes: Sequence[Fix], action: types.CodeAction
) -> types.CodeAction:
    edits = await checked_edits(server, view, fixes)
    editing.require_current(server, view)
    action.edit = workspace_edit(server, view, edits, action.title)
    return action


async def _resolved_all(
    server: DgemmaServer, view: View, action: types.CodeAction
) -> types.CodeAction:
    fixes = await or_failed(server.open_proofreading.complete(view.snapshot.uri))
    if fixes is None:
        raise editing.content_modified()
    safe = [fix for fix in fixes if fix.tier is Tier.SAFE]
    if not safe:
        raise editing.failed(_NO_SAFE)
    return await _resolved(server, view, safe, action)
