"""The server's settings as VS Code declares them: ``python -m tests.editors.vscode_settings``.

Writes them into the extension's ``package.json``; a test compares the two.
"""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from dgemma_ls.settings import Settings, settings_page

PACKAGE = Path(__file__).resolve().parents[2] / "editors" / "vscode" / "package.json"

_FIRST_ORDER = 10  # the extension's own settings come first
_NOT_A_SETTING = {"trusted"}  # VS Code itself knows


def properties() -> dict[str, dict[str, Any]]:
    """Give ``contributes.configuration.properties`` of what the server can be told."""
    meanings = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", settings_page(), re.MULTILINE))
    shown = [option for option in fields(Settings) if option.name not in _NOT_A_SETTING]
    return {
        f"dgemma.{option.name}": {
            **_type(option.default, option.metadata["check"][0]),
            "default": option.default,
            "scope": "machine" if option.metadata["machine"] else "window",
            "order": order,
            "markdownDescription": meanings[option.name],
        }
        for order, option in enumerate(shown, _FIRST_ORDER)
    }


def _type(default: object, expected: str) -> dict[str, Any]:
    if bounds := re.fullmatch(r"a whole number from (\d+) to (\d+)", expected):
        return {"type": "integer", "minimum": int(bounds[1]), "maximum": int(bounds[2])}
    if expected.startswith("one of "):
        return {"type": "string", "enum": expected.removeprefix("one of ").split(", ")}
    if isinstance(default, bool):
        return {"type": "boolean"}
    return {"type": "string"}


def main() -> None:
    """Write them."""
    package = json.loads(PACKAGE.read_text("utf-8"))
    configuration = package["contributes"]["configuration"]
    own = {
        name: value
        for name, value in configuration["properties"].items()
        if value["order"] < _FIRST_ORDER
    }
    configuration["properties"] = {**own, **properties()}
    PACKAGE.write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
