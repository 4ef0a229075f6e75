"""What an editor waits for between starting the server and its first answer."""

import subprocess
import sys

SLOW = {"filelock", "huggingface_hub", "markdown_it", "rapidfuzz", "torch", "websockets", "yaml"}


def test_the_start_of_the_server_imports_nothing_that_only_some_features_need() -> None:
    code = f"import sys, dgemma_ls.server; print(*({SLOW} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert found.split() == []
