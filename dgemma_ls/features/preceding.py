"""What the engine reads before a text, where it takes no context of its own: one text. Pure."""

from dgemma_ls.features.fill import Infiller

_CHARS_PER_TOKEN = 6  # generous: more text than a token budget holds


def preceded(prefix: str, engine: Infiller, *, context: str) -> str:
    """Put what other files say before a text, and leave out what would push it from the window.

    Args:
        prefix: the text before a span.
        engine: its window counts.
        context: comment lines about other files; empty leaves the prefix as it is.

    Returns:
        Context and the last lines of the prefix, of which at least half a window stays.
    """
    if not context:
        return prefix
    encode = engine.tokenizer.encode
    left = max(engine.context_tokens - len(encode(context)), engine.context_tokens // 2)
    return context + _last_lines(prefix, left, engine)


def _last_lines(text: str, n_tokens: int, engine: Infiller) -> str:
    """Give as many of the last lines as fit; at least the last one."""
    near = text[max(0, len(text) - n_tokens * _CHARS_PER_TOKEN) :]
    lines = near.splitlines(keepends=True) or [""]
    kept = len(lines)
    while kept > 0:
        n_line = len(engine.tokenizer.encode(lines[kept - 1]))
        if n_line > n_tokens and kept < len(lines):
            break
        n_tokens -= n_line
        kept -= 1
    return "".join(lines[kept:])
