"""Package sources -> a filtered, de-duplicated corpus with packages held out for evaluation.

Sources are read from wheels and from installed distributions alike: a wheel's files are what
gets installed, so name and version pin the text in both. This module fetches nothing, knows no
tokens, and never imports the code that it reads.
"""

import hashlib
import importlib.metadata
import json
import platform
import random
import re
import string
import sysconfig
import tarfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Any

RECIPE_PATH = Path(__file__).with_name("recipe.toml")
"""The recipe of the shipped weights."""

SPLITS = ("train", "selection", "holdout")
"""Parts of a corpus; each is ``{split}.jsonl`` with package, path and text per line.

Whatever is chosen or fitted is chosen on ``selection``; ``holdout`` only gives the final figures.
"""

STDLIB = "python"
"""The name under which the standard library stands in the corpus."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned distribution.

    Attributes:
        name: normalized name (PEP 503).
        version: exact version.
        licence: SPDX expression, as read by whoever pinned it.
    """

    name: str
    version: str
    licence: str


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

    Raises:
        ValueError: if nothing is left to train on.
    """
    sites = _own_site_dirs() if site_dirs is None else site_dirs
    build = _Build(recipe=recipe, report=report)
    # What is held out goes first: what it holds, training must not, nor selection the hold-out.
    for split, packages in (("holdout", recipe.holdout), ("selection", recipe.selection)):
        for package in packages:
            build.add(package, _find(package, wheels, sites), split=split)
        for document in build.documents[split]:
            build.remember_windows(document.text)
    own = Package(name=STDLIB, version=platform.python_version(), licence="PSF-2.0")
    library = Path(sysconfig.get_path("stdlib")) if stdlib is None else stdlib
    build.add(own, _TreeSource(root=library, declared_licence=own.licence), split="train")
    for package in recipe.packages:
        build.add(package, _find(package, wheels, sites), split="train")
    for package in recipe.documentation:
        build.add(package, _find_documentation(package, wheels), split="train")
    if not build.documents["train"]:
        raise ValueError("no package of the recipe was found; install them or name their wheels")
    return build.write(out)


def read_split(corpus: Path, split: str) -> Iterator[Document]:
    """Yield the documents of one split in their shuffled order."""
    with (corpus / f"{split}.jsonl").open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield Document(**json.loads(line))


# --- Sources: (path, bytes) of every file, and the licence that the metadata declares. ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _TreeSource:
    """Files under a folder."""

    root: Path
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.root.rglob("*")):
            if path.suffix in suffixes and "site-packages" not in path.parts and path.is_file():
                yield path.relative_to(self.root).as_posix(), path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _WheelSource:
    """Files inside a wheel, read in memory."""

    path: Path
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(self.path) as wheel:
            for name in sorted(wheel.namelist()):
                if name.endswith(suffixes):
                    yield name, wheel.read(name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _InstalledSource:
    """Files of an installed distribution, as its RECORD lists them."""

    distribution: importlib.metadata.Distribution
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(str(path) for path in self.distribution.files or ()):
            # Entries with ".." are scripts outside the package folders.
            if name.endswith(suffixes) and ".." not in PurePosixPath(name).parts:
                path = Path(str(self.distribution.locate_file(name)))
                if path.is_file():
                    yield name, path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _DocumentationSource:
    """The documentation inside a source distribution; wheels carry none."""

    path: Path
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        del suffixes  # some documentation is written in .txt, and code comes from wheels
        with tarfile.open(self.path) as archive:
            for member in sorted(archive.getmembers(), key=lambda member: member.name):
                _, _, name = member.name.partition("/")
                folders = PurePosixPath(name).parts[:-1]
                if name.endswith(_DOCUMENTATION_SUFFIXES) and not _DOC_DIRS.isdisjoint(folders):
                    file = archive.extractfile(member)
                    if file is not None:
                        yield name, file.read()


_DOCUMENTATION_SUFFIXES = (".md", ".rst", ".txt")
_DOC_DIRS = frozenset({"doc", "docs"})

_Source = _TreeSource | _WheelSource | _InstalledSource | _DocumentationSource


def _own_site_dirs() -> tuple[Path, ...]:
    return tuple(sorted({Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}))


def _find(package: Package, wheels: Path | None, sites: Sequence[Path]) -> _Source | None:
    """The package at its pinned version, or None."""
    if wheels is not None:
        for path in sorted(wheels.glob("*.whl")):
            name, version = path.name.split("-")[:2]
            if _normalized(name) == package.name and version == package.version:
                return _WheelSource(path=path, declared_licence=_licence(_wheel_metadata(path)))
    for site in sites:
        for found in importlib.metadata.distributions(name=package.name, path=[str(site)]):
            if found.version == package.version:
                # Parsed here, because importlib.metadata's own type promises no missing keys.
                metadata = HeaderParser().parsestr(found.read_text("METADATA") or "")
                return _InstalledSource(distribution=found, declared_licence=_licence(metadata))
    return None


def _find_documentation(package: Package, folder: Path | None) -> _Source | None:
    """The source distribution of a package at its pinned version, or None."""
    for path in sorted(folder.glob("*.tar.gz")) if folder is not None else ():
        name, _, version = path.name.removesuffix(".tar.gz").rpartition("-")
        if _normalized(name) == package.name and version == package.version:
            return _DocumentationSource(path=path, declared_licence=_licence(_sdist_metadata(path)))
    return None


def _sdist_metadata(path: Path) -> Message:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO") and file:
                return HeaderParser().parsestr(file.read().decode("utf-8"))
    return Message()


def _wheel_metadata(path: Path) -> Message:
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if name.endswith(".dist-info/METADATA"):
                return HeaderParser().parsestr(wheel.read(name).decode("utf-8"))
    return Message()


def _licence(metadata: Message) -> str:
    """What the metadata declares, in one line.

    Of the free ``License`` field only the first line counts: some wheels append the notices of
    the binary libraries that they bundle, which the corpus does not take.
    """
    free = (metadata.get("License") or "").strip().splitlines()[:1]
    classifiers = [
        value.rsplit("::", 1)[-1].strip()
        for value in metadata.get_all("Classifier") or []
        if value.startswith("License ::")
    ]
    expression = metadata.get("License-Expression")
    return "; ".join([expression] if expression else [*free, *classifiers]) or "not declared"


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_COPYLEFT = re.compile(r"\b[AL]?GPL|General Public License|Mozilla|\bMPL", re.IGNORECASE)

# --- Filters ---

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


def _windows(text: str, recipe: CorpusRecipe) -> Iterator[tuple[str, ...]]:
    """Every run of ``window_lines`` stripped, non-empty lines that is long enough to mean a copy.

    Blank lines are left out so that a reflowed copy is still seen.
    """
    lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
    for start in range(len(lines) - recipe.window_lines + 1):
        window = tuple(lines[start : start + recipe.window_lines])
        if sum(map(len, window)) >= recipe.window_min_chars:
            yield window


# --- The build ---


@dataclass(slots=True, kw_only=True, eq=False)
class _Build:
    """A corpus in the making: documents so far, and what must not come again."""

    recipe: CorpusRecipe
    report: Report
    documents: dict[str, list[Document]] = field(
        default_factory=lambda: {split: [] for split in SPLITS}
    )
    records: list[PackageRecord] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    seen: set[bytes] = field(default_factory=set)
    held_windows: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, package: Package, source: _Source | None, *, split: str) -> None:
        """Take a package's files into a split, or note why not."""
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
        self.held_windows.update(_windows(text, self.recipe))

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
        (out / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        return manifest

    def _skip(self, label: str, why: str) -> None:
        self.absent.append(f"{label}: {why}")
        self.report(f"skipped: {label}: {why}")

    def _kept(self, package: Package, source: _Source) -> list[Document]:
        files = list(self._eligible(source))
        code_bytes = sum(len(data) for path, data in files if self._is_code(path))
        if code_bytes > self.recipe.tests_dropped_above_bytes:
            kept = [(path, data) for path, data in files if not _is_test(path, self.recipe)]
            self.dropped["tests"] += len(files) - len(kept)
            files = kept
        # Seeded per package, so that adding a package to the recipe leaves the others' choice.
        random.Random(f"{self.recipe.seed} {package.name}").shuffle(files)  # noqa: S311 - no secret
        return list(self._capped(package, files))

    def _eligible(self, source: _Source) -> Iterator[tuple[str, bytes]]:
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
            window in self.held_windows for window in _windows(text, self.recipe)
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
