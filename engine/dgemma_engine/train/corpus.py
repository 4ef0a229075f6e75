"""Package sources -> a filtered, de-duplicated corpus with packages held out for evaluation.

This module fetches nothing, knows no tokens, and never imports the code that it reads.
"""

import hashlib
import json
import platform
import random
import re
import string
import sysconfig
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dgemma_engine.train.progress import OnProgress, no_progress
from dgemma_engine.train.sources import (
    Package,
    Source,
    TreeSource,
    find_documentation,
    find_package,
    own_site_dirs,
)

RECIPE_PATH = Path(__file__).with_name("recipe.toml")
"""The recipe of the shipped weights."""

SPLITS = ("train", "selection", "holdout")
"""Parts of a corpus; each is ``{split}.jsonl`` with package, path and text per line.

Whatever is chosen or fitted is chosen on ``selection``; ``holdout`` only gives the final figures.
"""

STDLIB = "python"
"""The name under which the standard library stands in the corpus."""

MANIFEST_NAME = "manifest.json"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusRecipe:
    """Section ``[corpus]`` of the recipe; ``recipe.toml`` says what each value is for."""

    seed: int
    code_suffixes: tuple[str, ...]
    prose_suffixes: tuple[str, ...]
    max_code_bytes_per_package: int
    max_prose_bytes_per_package: int
    min_file_bytes: int
    max_line_chars: int
    max_digit_share: float
    max_non_ascii_share: float
    tests_dropped_above_bytes: int
    drop_dirs: frozenset[str]
    test_dirs: frozenset[str]
    window_lines: int
    window_min_chars: int
    never_train: frozenset[str]
    packages: tuple[Package, ...]
    documentation: tuple[Package, ...]
    selection: tuple[Package, ...]
    holdout: tuple[Package, ...]

    def __post_init__(self) -> None:
        kept_free = self.never_train.union(p.name for p in self.holdout + self.selection)
        leaked = sorted(kept_free & {p.name for p in self.packages + self.documentation})
        if leaked:
            raise ValueError(f"recipe [corpus]: held out and trained on at once: {leaked}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file of the corpus."""

    package: str
    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRecord:
    """What one package brought in.

    Attributes:
        name: normalized name.
        version: version found.
        licence: SPDX expression of the recipe.
        declared_licence: what the package's own metadata says.
        split: one of :data:`SPLITS`.
        files: files kept.
        bytes: UTF-8 bytes kept.
    """

    name: str
    version: str
    licence: str
    declared_licence: str
    split: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRecord:
    """Size and fingerprint of one split's file."""

    files: int
    bytes: int
    prose_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusManifest:
    """What a corpus was built from; ``manifest.json`` holds the same.

    Attributes:
        seed: of the shuffles.
        splits: by split name.
        packages: by split and name.
        absent: ``name==version: why``, for each package that could not be taken.
        dropped: files dropped, by reason.
    """

    seed: int
    splits: dict[str, SplitRecord]
    packages: tuple[PackageRecord, ...]
    absent: tuple[str, ...]
    dropped: dict[str, int]


_PACKAGE_LISTS = ("packages", "documentation", "selection", "holdout")


def load_corpus_recipe(path: Path = RECIPE_PATH) -> CorpusRecipe:
    """Read section ``[corpus]`` of a recipe file.

    Raises:
        ValueError: if a key is missing or unknown, or a held-out package is trained on.
    """
    with path.open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["corpus"]
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    try:
        for key in _PACKAGE_LISTS:
            values[key] = tuple(Package(**entry) for entry in values[key])
        for key in ("drop_dirs", "test_dirs", "never_train"):
            values[key] = frozenset(values[key])
        return CorpusRecipe(**values)
    except (KeyError, TypeError) as err:
        raise ValueError(f"{path}: section [corpus] is not complete and exact: {err}") from err


def build_corpus(
    recipe: CorpusRecipe,
    out: Path,
    report: Report,
    *,
    wheels: Path | None = None,
    site_dirs: Sequence[Path] | None = None,
    stdlib: Path | None = None,
    progress: OnProgress = no_progress,
) -> CorpusManifest:
    """Write a ``.jsonl`` for each of :data:`SPLITS` and ``manifest.json`` under ``out``.

    The same recipe and the same sources give the same bytes.

    Args:
        recipe: what to take and what to drop.
        out: folder to write to; made if absent.
        report: called with one line per package and split.
        wheels: folder of wheels, looked into first, and of the source distributions whose
            documentation the recipe names.
        site_dirs: folders of installed distributions; by default those of the running Python.
        stdlib: the standard library's folder; by default that of the running Python.
        progress: told of packages.

    Raises:
        ValueError: if nothing is left to train on.
    """
    sites = own_site_dirs() if site_dirs is None else site_dirs
    build = _Build(recipe=recipe, report=report, progress=progress)
    # What is held out goes first: what it holds, training must not, nor selection the hold-out.
    for split, packages in (("holdout", recipe.holdout), ("selection", recipe.selection)):
        for package in packages:
            build.add(package, find_package(package, wheels, sites), split=split)
        for document in build.documents[split]:
            build.remember_windows(document.text)
    own = Package(name=STDLIB, version=platform.python_version(), licence="PSF-2.0")
    library = Path(sysconfig.get_path("stdlib")) if stdlib is None else stdlib
    build.add(own, TreeSource(root=library, declared_licence=own.licence), split="train")
    for package in recipe.packages:
        build.add(package, find_package(package, wheels, sites), split="train")
    for package in recipe.documentation:
        build.add(package, find_documentation(package, wheels), split="train")
    if not build.documents["train"]:
        raise ValueError("no package of the recipe was found; install them or name their wheels")
    return build.write(out)


def read_split(corpus: Path, split: str) -> Iterator[Document]:
    """Yield the documents of one split in their shuffled order."""
    with (corpus / f"{split}.jsonl").open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield Document(**json.loads(line))


def count_documents(corpus: Path, split: str) -> int:
    """Count the documents of one split without reading them in."""
    with (corpus / f"{split}.jsonl").open("rb") as file:
        return sum(1 for _ in file)


def windows(text: str, recipe: CorpusRecipe) -> Iterator[tuple[str, ...]]:
    """Yield runs of ``window_lines`` stripped, non-empty lines that are long enough to mean a copy.

    Blank lines are left out so that a reflowed copy is still seen.
    """
    lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
    for start in range(len(lines) - recipe.window_lines + 1):
        window = tuple(lines[start : start + recipe.window_lines])
        if sum(map(len, window)) >= recipe.window_min_chars:
            yield window


# --- Filters ---

_COPYLEFT = re.compile(r"\b[AL]?GPL|General Public License|Mozilla|\bMPL", re.IGNORECASE)
_GENERATED = re.compile(
    rb"auto-?(matically )?generated|generated (by|from|with)|do not edit|@generated", re.IGNORECASE
)
_WHITESPACE = string.whitespace.encode()
_DIGITS = string.digits.encode()
_ASCII = bytes(range(128))


def _is_test(path: str, recipe: CorpusRecipe) -> bool:
    pure = PurePosixPath(path)
    stem = pure.stem
    return (
        stem == "conftest"
        or stem.startswith("test_")
        or stem.endswith("_test")
        or not recipe.test_dirs.isdisjoint(pure.parts[:-1])
    )


def _refusal(path: str, data: bytes, recipe: CorpusRecipe) -> str | None:
    """Why a single file is no training text, or None if it is."""
    if not recipe.drop_dirs.isdisjoint(PurePosixPath(path).parts[:-1]):
        return "folder"
    if len(data) < recipe.min_file_bytes:
        return "short"
    if len(data) - len(data.translate(None, _DIGITS)) > recipe.max_digit_share * len(data):
        return "digits"
    if len(data.translate(None, _ASCII)) > recipe.max_non_ascii_share * len(data):
        return "non-ascii"
    if _GENERATED.search(data, 0, 1000):
        return "generated"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "not utf-8"
    if any(len(line) > recipe.max_line_chars for line in text.split("\n")):
        return "long lines"
    return None


# --- The build ---


@dataclass(slots=True, kw_only=True, eq=False)
class _Build:
    """A corpus in the making: documents so far, and what must not come again."""

    recipe: CorpusRecipe
    report: Report
    progress: OnProgress
    n_seen: int = 0
    documents: dict[str, list[Document]] = field(
        default_factory=lambda: {split: [] for split in SPLITS}
    )
    records: list[PackageRecord] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    seen: set[bytes] = field(default_factory=set)
    held_windows: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, package: Package, source: Source | None, *, split: str) -> None:
        """Take a package's files into a split, or note why not."""
        self._add(package, source, split)
        self.n_seen += 1
        recipe = self.recipe
        lists = (recipe.packages, recipe.documentation, recipe.selection, recipe.holdout)
        self.progress(self.n_seen, 1 + sum(map(len, lists)))  # one more: the standard library

    def _add(self, package: Package, source: Source | None, split: str) -> None:
        label = f"{package.name}=={package.version}"
        if source is None:
            return self._skip(label, "not found")
        if _COPYLEFT.search(source.declared_licence):
            return self._skip(label, f"licence {source.declared_licence}")
        kept = self._kept(package, source)
        self.documents[split] += kept
        n_bytes = sum(len(document.text.encode()) for document in kept)
        self.records.append(
            PackageRecord(
                **asdict(package),
                declared_licence=source.declared_licence,
                split=split,
                files=len(kept),
                bytes=n_bytes,
            )
        )
        self.report(f"{split}: {label}: {len(kept)} files, {n_bytes / 1e6:.2f} MB")
        return None

    def remember_windows(self, text: str) -> None:
        """Keep the training half free of every window of this held-out text."""
        self.held_windows.update(windows(text, self.recipe))

    def write(self, out: Path) -> CorpusManifest:
        """Shuffle the splits and write them with their manifest."""
        out.mkdir(parents=True, exist_ok=True)
        manifest = CorpusManifest(
            seed=self.recipe.seed,
            splits={split: self._write_split(out, split) for split in SPLITS},
            packages=tuple(self.records),
            absent=tuple(self.absent),
            dropped=dict(sorted(self.dropped.items())),
        )
        text = json.dumps(asdict(manifest), indent=1)
        (out / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8", newline="\n")
        return manifest

    def _skip(self, label: str, why: str) -> None:
        self.absent.append(f"{label}: {why}")
        self.report(f"skipped: {label}: {why}")

    def _kept(self, package: Package, source: Source) -> list[Document]:
        files = list(self._eligible(source))
        code_bytes = sum(len(data) for path, data in files if self._is_code(path))
        if code_bytes > self.recipe.tests_dropped_above_bytes:
            kept = [(path, data) for path, data in files if not _is_test(path, self.recipe)]
            self.dropped["tests"] += len(files) - len(kept)
            files = kept
        # Seeded per package, so that adding a package to the recipe leaves the others' choice.
        random.Random(f"{self.recipe.seed} {package.name}").shuffle(files)  # noqa: S311 - no secret
        return list(self._capped(package, files))

    def _eligible(self, source: Source) -> Iterator[tuple[str, bytes]]:
        for path, data in source.files(self.recipe.code_suffixes + self.recipe.prose_suffixes):
            refusal = _refusal(path, data, self.recipe)
            if refusal is None:
                yield path, data
            else:
                self.dropped[refusal] += 1

    def _capped(self, package: Package, files: Iterable[tuple[str, bytes]]) -> Iterator[Document]:
        room = {
            True: self.recipe.max_code_bytes_per_package,
            False: self.recipe.max_prose_bytes_per_package,
        }
        for path, data in files:
            is_code = self._is_code(path)
            if len(data) > room[is_code]:
                self.dropped["cap"] += 1
                continue
            text = data.decode("utf-8")
            refusal = self._seen_before(data, text)
            if refusal is not None:
                self.dropped[refusal] += 1
                continue
            room[is_code] -= len(data)
            yield Document(package=package.name, path=path, text=text)

    def _seen_before(self, data: bytes, text: str) -> str | None:
        """Why a file repeats an earlier one; a file that does not is remembered."""
        stripped = data.translate(None, _WHITESPACE)
        fingerprint = hashlib.sha256(stripped).digest()
        if fingerprint in self.seen:
            return "duplicate"
        if self.held_windows and any(
            window in self.held_windows for window in windows(text, self.recipe)
        ):
            return "shares lines with the hold-out"
        self.seen.add(fingerprint)
        return None

    def _is_code(self, path: str) -> bool:
        return path.endswith(self.recipe.code_suffixes)

    def _write_split(self, out: Path, split: str) -> SplitRecord:
        documents = self.documents[split]
        random.Random(f"{self.recipe.seed} {split}").shuffle(documents)  # noqa: S311 - no secret
        digest = hashlib.sha256()
        with (out / f"{split}.jsonl").open("wb") as file:
            for document in documents:
                line = json.dumps(asdict(document), ensure_ascii=False).encode() + b"\n"
                digest.update(line)
                file.write(line)
        sizes = [(self._is_code(d.path), len(d.text.encode())) for d in documents]
        record = SplitRecord(
            files=len(documents),
            bytes=sum(size for _, size in sizes),
            prose_bytes=sum(size for is_code, size in sizes if not is_code),
            sha256=digest.hexdigest(),
        )
        self.report(f"{split}: {record.files} files, {record.bytes / 1e6:.1f} MB in all")
        return record
