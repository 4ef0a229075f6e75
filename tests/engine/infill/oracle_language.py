"""A language small enough to know everything about, and a model that does.

Statements are ``v=fk(a,b,…);`` or ``v=(a,b,…)fk;``. ``fk`` (the digits 1 to 6) takes exactly k
arguments, so what may stand between the brackets is decided before them in one kind and after them
in the other; names are uniformly random and tell nothing. One character is one token.

:class:`OracleModel` stands in for the transformer: its logits are the exact posteriors of every
canvas position, by forward-backward over the language's automaton, given the whole canvas and what
was read before it, where each canvas token is clean with a known probability and uniformly random
else. What fails here is the algorithm's fault and not the training's.
"""

import random
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from dgemma_engine.infill.planner import CanvasPlan, plan_canvases
from dgemma_engine.infill.settings import InfillSettings

MAX_ARGUMENTS = 6
PAD, EOS, BOS = 0, 1, 2
NAMES = string.ascii_letters[:50]
CALLEES = "123456"
TEXT_TOKENS = NAMES + CALLEES + "(),=;"
VOCAB_SIZE = 3 + len(TEXT_TOKENS)  # 64, as in infill.md
CANVAS_LENGTH = 64
_LEAST_PROBABILITY = 1e-12  # real logits are finite, too
_P_END = 1 / 12

SETTINGS = InfillSettings(
    layout="plain",
    context_tokens=4096,
    canvas_tokens=48,
    left_tokens=12,
    right_tokens=16,
    n_steps=12,
)

State = tuple[str, int]
START: State = ("start", 0)
BETWEEN: State = ("statement", 0)
END: State = ("end", 0)


class OracleTokenizer:
    """One id per character; three special ids before them."""

    token_bytes = (b"", b"", b"", *(char.encode() for char in TEXT_TOKENS))
    special_ids = frozenset((PAD, EOS, BOS))

    def encode(self, text: str) -> list[int]:
        return [3 + TEXT_TOKENS.index(char) for char in text]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        return b"".join(self.token_bytes[token] for token in ids)

    def decode(self, ids: Iterable[int]) -> str:
        return self.decode_bytes(ids).decode()

    def has_token_starting_with(self, text: bytes) -> bool:
        return text in self.token_bytes


TOKENIZER = OracleTokenizer()


def choices(state: State) -> dict[str, tuple[float, State]]:
    """What may come next: class of token → probability and next state. Names are one class."""
    kind, count = state
    match kind:
        case "start":
            return {"bos": (1.0, BETWEEN)}
        case "statement":
            return {"eos": (_P_END, END), "name": (1 - _P_END, ("=", 0))}
        case "end":
            return {"eos": (1.0, END)}
        case "=":
            return {"=": (1.0, ("value", 0))}
        case "value":
            calls = {str(k): (0.5 / MAX_ARGUMENTS, ("call", k)) for k in range(1, 7)}
            return calls | {"(": (0.5, ("item", 0))}
        case "call":
            return {"(": (1.0, ("argument", count))}
        case "argument":  # count: how many are due
            return {"name": (1.0, ("after argument", count))}
        case "after argument":
            if count == 1:
                return {")": (1.0, (";", 0))}
            return {",": (1.0, ("argument", count - 1))}
        case "item":  # count: how many there were
            return {"name": (1.0, ("after item", count + 1))}
        case "after item":
            p_last = 1 / (MAX_ARGUMENTS + 1 - count)  # all counts are equally likely
            more = {",": (1 - p_last, ("item", count))} if count < MAX_ARGUMENTS else {}
            return {")": (p_last, ("callee", count))} | more
        case "callee":
            return {str(count): (1.0, (";", 0))}
        case _:
            return {";": (1.0, BETWEEN)}


CLASSES = ("bos", "eos", "name", *CALLEES, *"(),=;")


def class_of(token: int) -> str | None:
    if token < 3:
        return {EOS: "eos", BOS: "bos"}.get(token)
    char = TEXT_TOKENS[token - 3]
    return "name" if char in NAMES else char


def _all_states() -> list[State]:
    found, waiting = [START], [START]
    while waiting:
        for _, following in choices(waiting.pop()).values():
            if following not in found:
                found.append(following)
                waiting.append(following)
    return found


STATES = _all_states()


def read(tokens: Iterable[int], state: State = START) -> State | None:
    """Where the language is after some tokens; ``None`` if they are not of it."""
    for token in tokens:
        following = choices(state).get(class_of(token) or "")
        if following is None:
            return None
        state = following[1]
    return state


def is_valid(text: str) -> bool:
    """Whether a text is a whole document."""
    return read(TOKENIZER.encode(text), BETWEEN) == BETWEEN


def statement(rng: random.Random, *, is_call: bool, n_arguments: int) -> str:
    arguments = ",".join(rng.choice(NAMES) for _ in range(n_arguments))
    value = f"{n_arguments}({arguments})" if is_call else f"({arguments}){n_arguments}"
    return f"{rng.choice(NAMES)}={value};"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A document with a gap."""

    prefix: str
    truth: str
    suffix: str

    def plan(self, lengths: Sequence[int]) -> CanvasPlan:
        """Canvases for these numbers of missing tokens, what was begun before them not counted.

        Only rows that take what was begun as it is: here a token is never half a token.
        """
        plan = self._plan([1])
        n_begun = len(plan.head)
        return self._plan([n_begun + length for length in lengths])

    def _plan(self, lengths: Sequence[int]) -> CanvasPlan:
        return plan_canvases(
            self.prefix,
            self.suffix,
            lengths,
            TOKENIZER,  # type: ignore[arg-type]
            SETTINGS,
            bos_id=BOS,
            eos_id=EOS,
            canvas_length=CANVAS_LENGTH,
        )


def argument_gaps(n_gaps: int, seed: int, *, is_call: bool) -> Iterator[Gap]:
    """Everything between the brackets of one statement is missing: 2k - 1 tokens."""
    rng = random.Random(seed)
    for _ in range(n_gaps):
        before, after = (_statements(rng, rng.randint(1, 4)) for _ in range(2))
        line = statement(rng, is_call=is_call, n_arguments=rng.randint(1, MAX_ARGUMENTS))
        start, end = line.index("(") + 1, line.index(")")
        yield Gap(prefix=before + line[:start], truth=line[start:end], suffix=line[end:] + after)


def random_gaps(n_gaps: int, seed: int, *, max_tokens: int = 12) -> Iterator[Gap]:
    """Anything of a document is missing."""
    rng = random.Random(seed)
    for _ in range(n_gaps):
        document = _statements(rng, rng.randint(2, 6))
        n_tokens = rng.randint(1, min(max_tokens, len(document)))
        start = rng.randint(0, len(document) - n_tokens)
        end = start + n_tokens
        yield Gap(prefix=document[:start], truth=document[start:end], suffix=document[end:])


def _statements(rng: random.Random, n_statements: int) -> str:
    return "".join(
        statement(rng, is_call=rng.random() < 0.5, n_arguments=rng.randint(1, MAX_ARGUMENTS))
        for _ in range(n_statements)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleCache:
    """What was read before the canvas, as the state of the language."""

    n_tokens: int
    state: State

    def visible(self) -> list[State]:
        return [self.state]


class OracleModel:
    """Answers like the transformer where the filling code asks it."""

    def __init__(self, clean_rates: Sequence[float] = (0.8,)) -> None:
        """Take the share of canvas tokens that are clean; of several, each is equally likely."""
        self.config = SimpleNamespace(
            vocab_size=VOCAB_SIZE,
            bos_token_id=BOS,
            eos_token_ids=(EOS,),
            canvas_length=CANVAS_LENGTH,
        )
        self.embed_tokens = SimpleNamespace(weight=torch.zeros(VOCAB_SIZE, 1))
        self._clean_rates = torch.tensor(clean_rates, dtype=torch.float64)
        n_states = len(STATES)
        self._moves = torch.zeros(len(CLASSES), n_states, n_states, dtype=torch.float64)
        for idx, state in enumerate(STATES):
            for name, (probability, following) in choices(state).items():
                self._moves[CLASSES.index(name), idx, STATES.index(following)] = probability
        # P(token | class), (classes, V).
        self._within = torch.zeros(len(CLASSES), VOCAB_SIZE, dtype=torch.float64)
        for token in range(VOCAB_SIZE):
            if (name := class_of(token)) is not None:
                self._within[CLASSES.index(name), token] = 1 / (50 if name == "name" else 1)

    def encode_context(self, ids: Sequence[int]) -> OracleCache:
        """Read what comes before the canvas."""
        state = read(ids)
        assert state is not None
        return OracleCache(n_tokens=len(ids), state=state)

    def embed(self, ids: Tensor) -> Tensor:
        return torch.zeros(*ids.shape, 1)

    def soft_embed(self, logits: Tensor) -> Tensor:
        return torch.zeros(*logits.shape[:-1], 1)

    def decode(
        self,
        canvas: Tensor,
        _position: int,
        past: Sequence[State],
        *,
        soft_embeddings: Tensor | None = None,
        rows: Tensor | None = None,
    ) -> Tensor:
        """Log-posteriors (B, C, V), or of the rows only; self-conditioning adds nothing."""
        del soft_embeddings  # the canvas already says all
        posterior = self.posteriors(canvas, past[0])
        logits = posterior.clamp(min=_LEAST_PROBABILITY).log().float()
        return logits if rows is None else logits[rows]

    def posteriors(self, canvas: Tensor, start: State) -> Tensor:
        """P(clean token at a position | the whole noised canvas), (B, C, V)."""
        weighted = []
        for clean in self._clean_rates.tolist():
            posterior, log_evidence = self._forward_backward(canvas, start, clean)
            weighted.append((posterior, log_evidence))
        share = torch.stack([evidence for _, evidence in weighted]).softmax(dim=0)  # (A, B)
        return sum(  # type: ignore[return-value]
            posterior * weight[:, None, None]
            for (posterior, _), weight in zip(weighted, share, strict=True)
        )

    def _forward_backward(
        self, canvas: Tensor, start: State, clean: float
    ) -> tuple[Tensor, Tensor]:
        n_batch, n_canvas = canvas.shape
        noise = (1 - clean) / VOCAB_SIZE
        one_hot = torch.nn.functional.one_hot(canvas, VOCAB_SIZE).double()
        likelihood = one_hot * clean + noise  # (B, C, V): P(seen | clean token)
        of_class = likelihood @ self._within.T  # (B, C, classes)
        step = torch.einsum("bcn,nst->bcst", of_class, self._moves)
        forward = torch.zeros(n_batch, n_canvas + 1, len(STATES), dtype=torch.float64)
        forward[:, 0, STATES.index(start)] = 1
        log_evidence = torch.zeros(n_batch, dtype=torch.float64)
        for idx in range(n_canvas):
            ahead = torch.einsum("bs,bst->bt", forward[:, idx], step[:, idx])
            total = ahead.sum(dim=-1, keepdim=True)
            forward[:, idx + 1] = ahead / total
            log_evidence += total.squeeze(-1).log()
        backward = torch.ones(n_batch, len(STATES), dtype=torch.float64)
        joint = torch.zeros(n_batch, n_canvas, len(CLASSES), dtype=torch.float64)
        for idx in reversed(range(n_canvas)):
            joint[:, idx] = torch.einsum("bs,nst,bt->bn", forward[:, idx], self._moves, backward)
            backward = torch.einsum("bst,bt->bs", step[:, idx], backward)
            backward = backward / backward.sum(dim=-1, keepdim=True)
        posterior = (joint @ self._within) * likelihood
        return posterior / posterior.sum(dim=-1, keepdim=True), log_evidence
