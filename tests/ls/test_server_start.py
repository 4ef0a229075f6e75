"""What an editor waits for between starting the server and its first answer."""

import subprocess
import sys

SLOW = {
    *("email", "filelock", "html.parser", "huggingface_hub", "importlib.metadata", "markdown_it"),
    *("numpy", "pathspec", "platformdirs", "rapidfuzz", "rich", "tempfile", "tomllib", "torch"),
    *("websockets", "xml", "yaml", "zipfile"),
    *("dgemma_ls.features.typos", "dgemma_ls.features.typo_check", "dgemma_ls.proofread.fixes"),
    *("dgemma_ls.proofread.lexicon", "dgemma_ls.proofread.regions"),
}


def test_the_start_of_the_server_imports_nothing_that_only_some_features_need() -> None:
    code = f"import sys, dgemma_ls.__main__, dgemma_ls.server; print(*({SLOW} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert found.split() == []
