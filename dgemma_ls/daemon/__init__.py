"""One process that holds the weights for all editors of a user.

``place`` says where it listens, ``host`` is that process, ``attach`` stands between it and one
editor. The pattern is gopls' ``-remote=auto`` (go.dev/gopls/daemon). ``place`` and ``attach``
import neither torch nor the protocol library: they are started with every editor.
"""
