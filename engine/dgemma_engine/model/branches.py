"""Continuations of one prefix: a tree of tokens, each of which is read once.

Paths of a beam search share their beginnings, and a judge reads again what the search has read. So
the tree remembers every token's keys, values and output, and a pass reads only what is new. Each
token sees the prefix and the tokens on its own path; the others do not exist for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from dgemma_engine.config import LayerConfig
from dgemma_engine.model.attention import KeysValues

if TYPE_CHECKING:
    from dgemma_engine.model.transformer import Masks, Transformer

_ROOT = -1


class Branches:
    """The tree after one prefix.

    Attributes:
        outputs: the last layer's output (N, D) of the N tokens read so far.
    """

    def __init__(self, model: "Transformer", position: int, past: Sequence[KeysValues]) -> None:
        """Begin with an empty tree.

        Args:
            model: the model.
            position: absolute position of the first token of every branch.
            past: per layer the visible keys and values of the prefix, batch 1.
        """
        self._model, self._position = model, position
        self._prefix_rows = [keys.shape[2] for keys, _ in past]
        self._past = list(past)  # the prefix, then the tree's tokens
        self._row_of: dict[tuple[int, int], int] = {}  # (row before, token) → row
        self._depths = np.zeros(0, dtype=np.int64)
        # (N, N): the tokens on each token's path, itself included.
        self._on_path: npt.NDArray[np.bool_] = np.zeros((0, 0), dtype=np.bool_)
        weight = model.embed_tokens.weight
        self.outputs = weight.new_empty(0, weight.shape[1])

    def read(self, branches: Sequence[Sequence[int]]) -> list[list[int]]:
        """Read what is new of some branches in one pass.

        Args:
            branches: token ids, at least one each.

        Returns:
            For each branch the rows of its tokens in :attr:`outputs`.
        """
        ids: list[int] = []
        befores: list[int] = []
        paths = []
        for branch in branches:
            row, path = _ROOT, []
            for token in branch:
                before = row
                row = self._row_of.setdefault((before, token), len(self._row_of))
                if row == len(self._depths) + len(ids):
                    ids.append(token)
                    befores.append(before)
                path.append(row)
            paths.append(path)
        if ids:
            self._grow(befores)
            self._encode(ids)
        return paths

    def _grow(self, befores: Sequence[int]) -> None:
        """Make room for tokens after the given rows, each of which is known or given earlier."""
        n_old = len(self._depths)
        n_rows = n_old + len(befores)
        on_path = np.zeros((n_rows, n_rows), dtype=np.bool_)
        on_path[:n_old, :n_old] = self._on_path
        depths = np.zeros(n_rows, dtype=np.int64)
        depths[:n_old] = self._depths
        for row, before in enumerate(befores, n_old):
            if before != _ROOT:
                on_path[row] = on_path[before]
                depths[row] = depths[before] + 1
            on_path[row, row] = True
        self._on_path, self._depths = on_path, depths

    def _encode(self, ids: Sequence[int]) -> None:
        """Read the last tokens of the tree, whose places are known."""
        device = self.outputs.device
        depths = self._depths[-len(ids) :]
        masks: Masks = {}
        for layer, n_prefix in zip(self._model.config.layers, self._prefix_rows, strict=True):
            if layer.kind not in masks:  # layers of one kind see equally many rows of the prefix
                mask = self._visible(depths, n_prefix, layer)
                masks[layer.kind] = torch.from_numpy(mask).to(device)
        out, new = self._model.encode_masked(
            torch.tensor([ids], device=device),
            torch.from_numpy(self._position + depths).to(device),
            self._past,
            masks,
        )
        assert out is not None
        self.outputs = torch.cat((self.outputs, out[0]))
        self._past = [
            (torch.cat((keys, new_keys), dim=2), torch.cat((values, new_values), dim=2))
            for (keys, values), (new_keys, new_values) in zip(self._past, new, strict=True)
        ]

    def _visible(
        self, depths: npt.NDArray[np.int64], n_prefix: int, layer: LayerConfig
    ) -> npt.NDArray[np.bool_]:
        """Which rows the last tokens see: bool (S, n_prefix + N)."""
        own = self._on_path[-len(depths) :]
        before = np.ones((len(depths), n_prefix), dtype=np.bool_)
        if layer.is_sliding:
            oldest = depths[:, None] - self._model.config.sliding_window  # and not this one itself
            own = own & (self._depths[None, :] > oldest)
            before = np.arange(-n_prefix, 0)[None, :] > oldest
        return np.concatenate((before, own), axis=1)
