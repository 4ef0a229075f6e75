"""Make the tables of ``dgemma_ls/proofread/data`` from permissive sources.

    python benchmarks/proofread/make_tables.py CORPUS.jsonl FREQUENCIES.txt WORDS...

CORPUS is the training split that ``python -m dgemma_engine.train`` makes. FREQUENCIES is
``frequency_dictionary_en_82_765.txt`` of symspellpy (MIT). WORDS are SCOWL word lists: Debian's
``american-english-large``, ``british-english-large`` and ``canadian-english-large``. Nothing is
fitted here: words and neighbours of words are counted.
"""

import gzip
import json
import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

DATA = Path(__file__).parents[2] / "dgemma_ls" / "proofread" / "data"

# Packages whose repositories the development set was mined from: their text stays out.
_EXCLUDED = frozenset(
    "celery aiohttp networkx scrapy werkzeug click attrs pytest structlog".split()  # noqa: SIM905
)
# Generated documentation, the same sentences thousands of times.
_EXCLUDED |= {"awscli", "botocore", "boto3"}
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|[^\sA-Za-z]+")
_COMMENT = re.compile(r"(?m)^[ \t]*#[ !:]?(.*)$|[ \t]#[ ](.*)$")
_DOCSTRING = re.compile(r'(?s)(?:"""(.*?)"""|\'\'\'(.*?)\'\'\')')
_CODE = re.compile(r"``.*?``|`[^`\n]*`|https?://\S+|\S*[_/\\@=<>{}\[\]$]\S*|>>>.*")
_PARAGRAPH = re.compile(r"\n\s*\n|::\n")
_MIN_PACKAGES = 4  # a word of so many packages is no typo, nor a name of one of them
_MIN_COUNTS = (3, 2, 4)  # of one, two and three words that are worth their bytes
_PUNCTUATION = ".,;:!?()-\"'"


def main() -> None:
    """Count, merge, write."""
    corpus, frequencies, *lists = map(Path, sys.argv[1:])
    counts, packages, pairs, triples = _count(corpus)
    _write_lexicon(counts, packages, frequencies, lists)
    _write_ngrams(counts, pairs, triples)


def _count(
    corpus: Path,
) -> tuple[Counter[str], dict[str, int], Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    counts: Counter[str] = Counter()
    pairs: Counter[tuple[str, ...]] = Counter()
    triples: Counter[tuple[str, ...]] = Counter()
    packages: defaultdict[str, set[str]] = defaultdict(set)
    seen: set[int] = set()
    for package, paragraph in _paragraphs(corpus):
        key = hash(paragraph)
        if key in seen:
            continue
        seen.add(key)
        found = _WORD.findall(_CODE.sub(" ¤ ", paragraph))
        words = [_normal(word) for word in found]
        if sum(word.isalpha() for word in words) < 4:
            continue
        counts.update(words)
        padded = [".", ".", *words]
        pairs.update(pairwise(padded[1:]))
        triples.update(zip(padded, padded[1:], padded[2:], strict=False))
        for word in words:
            packages[word].add(package)
    return counts, {word: len(of) for word, of in packages.items()}, pairs, triples


def _paragraphs(corpus: Path) -> Iterator[tuple[str, str]]:
    with corpus.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["package"] in _EXCLUDED:
                continue
            text = row["text"]
            parts = [text]
            if row["path"].endswith(".py"):
                parts = [a or b for a, b in _DOCSTRING.findall(text)]
                rest = _DOCSTRING.sub("", text)
                parts.append("\n".join(a or b for a, b in _COMMENT.findall(rest)))
            for part in parts:
                for paragraph in _PARAGRAPH.split(part):
                    yield row["package"], paragraph


def _normal(word: str) -> str:
    if word[0].isalpha():
        return word.lower()
    return "." if word[0] in _PUNCTUATION else "#"


def _write_lexicon(
    counts: Counter[str], packages: dict[str, int], frequencies: Path, lists: list[Path]
) -> None:
    general = {
        word: int(count)
        for word, count in map(str.split, frequencies.read_text("utf-8-sig").splitlines())
    }
    variants: defaultdict[str, int] = defaultdict(int)
    for idx, path in enumerate(lists):
        for word in path.read_text("utf-8").split("\n"):
            if word and not word.endswith("'s"):
                variants[word.lower()] |= 1 << idx
    technical = [
        word
        for word in counts
        if word not in variants
        and word[0].isalpha()
        and packages[word] >= _MIN_PACKAGES
        and not word.endswith("'s")
    ]
    technical = sorted(set(technical) - _misspelt(technical))
    n_general, n_technical = sum(general.values()), sum(counts.values())
    rows = []
    for word in sorted({*variants, *general, *technical}):
        share = general.get(word, 0) / n_general / 2 + counts[word] / n_technical / 2
        zipf = max(0, round(10 * math.log10(share * 1e9))) if share else 0
        rows.append(f"{word}\t{zipf}\t{variants.get(word, 0)}\n")
    with gzip.GzipFile(DATA / "lexicon.tsv.gz", "wb", mtime=0) as out:
        out.write("".join(rows).encode())
    print(f"{len(rows)} words, {len(technical)} of them technical")


def _misspelt(words: list[str]) -> set[str]:
    run = subprocess.run(
        ["typos", "--isolated", "--format", "json", "-"],  # noqa: S607
        input="\n".join(words),
        capture_output=True,
        text=True,
        check=False,
    )
    return {json.loads(line)["typo"] for line in run.stdout.splitlines()}


def _write_ngrams(
    counts: Counter[str], pairs: Counter[tuple[str, ...]], triples: Counter[tuple[str, ...]]
) -> None:
    kept = [word for word, count in counts.most_common() if count >= _MIN_COUNTS[0]]
    kept = ["#", ".", *(word for word in kept if word not in ".#")][: 2**16]
    ids = {word: idx for idx, word in enumerate(kept)}
    arrays = {
        "words": np.frombuffer("\n".join(kept).encode(), dtype=np.uint8),
        "counts": np.array([counts[word] for word in kept], dtype=np.uint32),
    }
    for name, table, least, dtype in (
        ("pairs", pairs, _MIN_COUNTS[1], np.uint32),
        ("triples", triples, _MIN_COUNTS[2], np.uint64),
    ):
        rows = []
        for words, count in table.items():
            if count >= least and all(word in ids for word in words):
                key = 0
                for word in words:
                    key = key << 16 | ids[word]
                rows.append((key, count))
        rows.sort()
        keys, values = zip(*rows, strict=True)
        arrays[name] = np.array(keys, dtype=dtype)
        # An eighth of an octave is as exact as counts are.
        arrays[f"{name}_log2"] = np.round(np.log2(values) * 8).astype(np.uint8)
        print(f"{len(rows)} {name}")
    save_file(arrays, DATA / "ngrams.safetensors")


if __name__ == "__main__":
    main()
