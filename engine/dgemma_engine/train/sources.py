"""Where documents come from: wheels, source distributions, installed packages, a folder.

A wheel's files are what gets installed, so name and version pin the text in both. A source gives
(path, bytes) of every file and the licence that the metadata declares; nothing here runs the code
that it reads, and nothing is fetched.
"""

import importlib.metadata
import re
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath


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
class TreeSource:
    """Files under a folder."""

    root: Path
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) of the files with one of the suffixes, in the order of paths."""
        for path in sorted(self.root.rglob("*")):
            if path.suffix in suffixes and "site-packages" not in path.parts and path.is_file():
                yield path.relative_to(self.root).as_posix(), path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelSource:
    """Files inside a wheel, read in memory."""

    path: Path
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) of the files with one of the suffixes, in the order of paths."""
        with zipfile.ZipFile(self.path) as wheel:
            for name in sorted(wheel.namelist()):
                if name.endswith(suffixes):
                    yield name, wheel.read(name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstalledSource:
    """Files of an installed distribution, as its RECORD lists them."""

    distribution: importlib.metadata.Distribution
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) of the files with one of the suffixes, in the order of paths."""
        for name in sorted(str(path) for path in self.distribution.files or ()):
            # Entries with ".." are scripts outside the package folders.
            if name.endswith(suffixes) and ".." not in PurePosixPath(name).parts:
                path = Path(str(self.distribution.locate_file(name)))
                if path.is_file():
                    yield name, path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentationSource:
    """The documentation inside a source distribution; wheels carry none."""

    path: Path
    declared_licence: str

    def files(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        """Yield (path, bytes) of the texts below a folder ``doc`` or ``docs``, sorted by path."""
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

Source = TreeSource | WheelSource | InstalledSource | DocumentationSource


def own_site_dirs() -> tuple[Path, ...]:
    """Folders of the distributions that the running Python has installed."""
    return tuple(sorted({Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}))


def find_package(package: Package, wheels: Path | None, sites: Sequence[Path]) -> Source | None:
    """Give the package at its pinned version, from a wheel if there is one, or ``None``."""
    if wheels is not None and (path := find_wheel(package, wheels)) is not None:
        return WheelSource(path=path, declared_licence=_licence(_wheel_metadata(path)))
    for site in sites:
        for found in importlib.metadata.distributions(name=package.name, path=[str(site)]):
            if found.version == package.version:
                # Parsed here, because importlib.metadata's own type promises no missing keys.
                metadata = HeaderParser().parsestr(found.read_text("METADATA") or "")
                return InstalledSource(distribution=found, declared_licence=_licence(metadata))
    return None


def find_documentation(package: Package, folder: Path | None) -> Source | None:
    """Give the documentation of a package at its pinned version, or ``None``."""
    path = None if folder is None else find_sdist(package, folder)
    if path is None:
        return None
    return DocumentationSource(path=path, declared_licence=_licence(_sdist_metadata(path)))


def find_wheel(package: Package, folder: Path) -> Path | None:
    """Give the first wheel of the package at its pinned version in a folder, or ``None``."""
    for path in sorted(folder.glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if _normalized(name) == package.name and version == package.version:
            return path
    return None


def find_sdist(package: Package, folder: Path) -> Path | None:
    """Give the source distribution of the package at its pinned version, or ``None``."""
    for path in sorted(folder.glob("*.tar.gz")):
        name, _, version = path.name.removesuffix(".tar.gz").rpartition("-")
        if _normalized(name) == package.name and version == package.version:
            return path
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
