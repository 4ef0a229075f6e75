"""What other files tell about the place where the user types.

Two small objects on the event loop remember where the user has been (:class:`ChunkRing`,
:class:`RecentEdits`); :func:`build_context` makes a text of what they give out.
"""

from dgemma_ls.context.build import build_context
from dgemma_ls.context.edits import RecentEdit, RecentEdits
from dgemma_ls.context.ring import Chunk, ChunkRing

__all__ = ["Chunk", "ChunkRing", "RecentEdit", "RecentEdits", "build_context"]
