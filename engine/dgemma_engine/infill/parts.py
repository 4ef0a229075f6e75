"""What every stage of infilling works with: one model and what belongs to it."""

from dataclasses import dataclass

import torch

from dgemma_engine.config import GenerationConfig
from dgemma_engine.infill.layout import Prompt
from dgemma_engine.infill.planner import CanvasPlan, max_span_tokens, plan_canvases
from dgemma_engine.infill.settings import InfillSettings
from dgemma_engine.infill.vocabulary import TokenRules
from dgemma_engine.model.branches import Branches
from dgemma_engine.model.transformer import Transformer
from dgemma_engine.prefix_cache import PrefixCacheStore
from dgemma_engine.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The parts of an engine that infilling needs; they belong to the thread that runs it."""

    model: Transformer
    prefixes: PrefixCacheStore
    tokenizer: Tokenizer
    rules: TokenRules
    config: GenerationConfig
    settings: InfillSettings

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.embed_tokens.weight.device

    @property
    def max_span_tokens(self) -> int:
        """Longest span that one canvas can fill."""
        return max_span_tokens(self.settings, self.model.config.canvas_length)

    def plan(
        self,
        prefix: str,
        suffix: str,
        lengths: tuple[int, ...],
        prompt: Prompt | None = None,
        *,
        context: str = "",
    ) -> CanvasPlan:
        """Lay out canvases as this model wants them; raises as ``planner.plan_canvases``."""
        config = self.model.config
        return plan_canvases(
            prefix,
            suffix,
            lengths,
            self.tokenizer,
            self.settings,
            bos_id=config.bos_token_id,
            eos_id=config.eos_token_ids[0],
            canvas_length=config.canvas_length,
            prompt=prompt,
            context=context,
        )

    def branches(self, plan: CanvasPlan) -> Branches:
        """Begin to read on after the known text but for its last token, which belongs to them.

        One request has one of them for search and judge, so that nothing is read twice, and none
        of an earlier one, so that the same request gives the same scores.
        """
        kv = self.prefixes.encode(plan.known_ids[:-1]).kv
        return Branches(self.model, kv.n_tokens, kv.visible())

    def last_known(self, plan: CanvasPlan) -> tuple[int, ...]:
        """As many tokens before the gap as the document's statistics look at."""
        return plan.known_ids[-max(1, len(self.settings.document_weights)) :]
