"""What other projects' registries ask of the files that are ready to be submitted. No editor.

Their conditions are written down here in our words, each with where it was read. None of the
registries can be asked from a test, and the schemas are in no package of PyPI or npm.
"""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from .server_commands import ROOT

REGISTRY = ROOT / "editors" / "registry"
MASON = REGISTRY / "mason/packages/dgemma-ls/package.yaml"
LSPCONFIG = REGISTRY / "nvim-lspconfig/lsp/dgemma_ls.lua"
EXTENSION = ROOT / "editors" / "vscode"

# mason-org/registry-schema: schemas/package.schema.json with the components source, sources/pypi,
# bin and neovim, as far as they concern a package of PyPI; mason-org/mason-registry:
# CONTRIBUTING.md (which fields must be there, the categories, the length of a line).
_FILE_NAMES = {"type": "object", "propertyNames": {"pattern": r"^[\w.-]+$"}}
MASON_PYPI_PACKAGE = {
    "type": "object",
    "required": [
        "name",
        "description",
        "homepage",
        "licenses",
        "languages",
        "categories",
        "source",
    ],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "homepage": {"type": "string", "pattern": "^https?://"},
        "licenses": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "languages": {"type": "array", "items": {"type": "string"}},
        "categories": {
            "type": "array",
            "items": {"enum": ["Compiler", "DAP", "Formatter", "LSP", "Linter", "Runtime"]},
        },
        "source": {
            "type": "object",
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string", "pattern": "^pkg:pypi/.+@.+"},
                "extra_packages": {"type": "array", "items": {"type": "string"}},
                "supported_platforms": {"type": "array", "items": {"type": "string"}},
            },
        },
        "bin": {**_FILE_NAMES, "additionalProperties": {"type": "string"}},
        "neovim": {"type": "object", "properties": {"lspconfig": {"type": "string"}}},
    },
}

# neovim/nvim-lspconfig: .github/ci/lint.sh, .stylua.toml and CONTRIBUTING.md.
LSPCONFIG_REFUSES = (
    "nvim_create_user_command",  # commands belong to the buffer
    "workspace/executeCommand",  # client:exec_cmd() does that
    "is_descendant",
    "search_ancestors",
    "validate_bufnr",
    "single_file_support",
    "fn.cwd",
    "path.dirname",
    "lspconfig.util",
)

# eclipse/openvsx: ExtensionValidator.java of the server, and the wiki's Publishing-Extensions.
OPEN_VSX_NAME = re.compile(r"[\w+$~-]{1,255}", re.ASCII)
OPEN_VSX_VERSION = re.compile(r"[\w$+,.:;-]+")
OPEN_VSX_RESERVED = {"latest", "pre-release", "reviews"}
OPEN_VSX_TEXTS = ("displayName", "description", "categories", "keywords", "license")
OPEN_VSX_LONGEST = {"description": 2048}  # characters; all other fields 255
OPEN_VSX_LINKS = ("homepage", "repository", "bugs")


def mason() -> dict[str, Any]:
    package: dict[str, Any] = yaml.safe_load(MASON.read_text("utf-8"))
    return package


@pytest.fixture
def extension() -> dict[str, Any]:
    package: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    return package


def is_license(name: str) -> bool:
    try:
        return canonicalize_license_expression(name) == name
    except InvalidLicenseExpression:
        return False


def test_masons_file_has_the_form_of_a_package_of_pypi() -> None:
    jsonschema.validate(mason(), MASON_PYPI_PACKAGE)
    assert all(map(is_license, mason()["licenses"]))
    assert mason()["name"] == MASON.parent.name
    assert [it.name for it in MASON.parent.iterdir()] == ["package.yaml"]  # their lint's only rule
    assert all(len(line) <= 120 for line in MASON.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"licence": "MIT"}, "Additional properties"),
        ({"licenses": []}, "should be non-empty"),
        ({"homepage": "dgemma.example"}, "does not match"),
        ({"categories": ["Completion"]}, "is not one of"),
        ({"source": {"id": "pkg:pypi/dgemma-ls"}}, "does not match"),
        ({"bin": {"dgemma ls": "pypi:dgemma-ls"}}, "does not match"),
    ],
)
def test_masons_conditions_refuse_what_is_wrong(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(jsonschema.ValidationError, match=why):
        jsonschema.validate(mason() | wrong, MASON_PYPI_PACKAGE)
    assert not is_license("Apache 2")


def test_masons_file_and_that_of_nvim_lspconfig_name_each_other() -> None:
    assert mason()["neovim"]["lspconfig"] == LSPCONFIG.stem
    assert mason()["name"].replace("-", "_") == LSPCONFIG.stem  # their rule for names
    (program,) = mason()["bin"]
    assert f"cmd = {{ '{program}', '--stdio' }}" in LSPCONFIG.read_text("utf-8")
    assert mason()["homepage"] in LSPCONFIG.read_text("utf-8")


def test_the_file_for_nvim_lspconfig_keeps_their_lint() -> None:
    text = LSPCONFIG.read_bytes().decode("utf-8")
    assert text.startswith("---@brief\n")  # from which their documentation is made
    documentation, _, code = text.partition("\n---@type vim.lsp.Config\nreturn {\n")
    assert code.endswith("}\n")
    assert all(re.match(r"---($| |@brief$)", it) for it in documentation.splitlines() if it)
    assert not [it for it in LSPCONFIG_REFUSES if it in text]
    assert not re.search(r"\r|\t| $", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 120
    assert '"' not in code  # single quotes, where they do


def test_open_vsx_takes_the_extensions_manifest(extension: dict[str, Any]) -> None:
    assert complaints_of_open_vsx(extension, EXTENSION) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"publisher": "dgemma ls"}, "publisher"),
        ({"name": "dgemma/ls"}, "name"),
        ({"version": "0.1 beta"}, "version"),
        ({"version": "latest"}, "version"),
        ({"displayName": "two\nlines"}, "displayName"),
        ({"keywords": ["a\u200bb"]}, "keywords"),
        ({"description": "x" * 2049}, "description"),
        ({"license": ""}, "license"),
        ({"icon": "no-such.png"}, "icon"),
        ({"homepage": "dgemma.example"}, "homepage"),
    ],
)
def test_open_vsx_conditions_refuse_what_is_wrong(
    extension: dict[str, Any], wrong: dict[str, Any], field: str
) -> None:
    assert complaints_of_open_vsx(extension | wrong, EXTENSION) == [field]


def complaints_of_open_vsx(package: dict[str, Any], folder: Path) -> list[str]:
    """Give the fields of a ``package.json`` that Open VSX would refuse."""
    wrong = [it for it in ("publisher", "name") if not OPEN_VSX_NAME.fullmatch(package[it])]
    version = package["version"]
    if not OPEN_VSX_VERSION.fullmatch(version) or version in OPEN_VSX_RESERVED:
        wrong.append("version")
    for field in OPEN_VSX_TEXTS:
        value = package.get(field) or []
        texts = [value] if isinstance(value, str) else value
        if any(map(_has_odd_characters, texts)) or any(
            len(it) > OPEN_VSX_LONGEST.get(field, 255) for it in texts
        ):
            wrong.append(field)
    if not package.get("license") or not (folder / "LICENSE").is_file():
        wrong.append("license")  # since 2021 nothing is taken without one
    if not (folder / package["icon"]).is_file():
        wrong.append("icon")
    return wrong + [it for it in OPEN_VSX_LINKS if not _is_link(package.get(it))]


def _has_odd_characters(text: str) -> bool:
    return any(unicodedata.category(it) in {"Cc", "Cf", "Cn", "Co", "Zl", "Zp"} for it in text)


def _is_link(value: Any) -> bool:
    link = value.get("url", "") if isinstance(value, dict) else value
    return not link or bool(urlsplit(link.removeprefix("git+")).netloc)
