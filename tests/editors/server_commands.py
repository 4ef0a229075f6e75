"""How the tests start a server."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REAL_SERVER = [sys.executable, "-m", "dgemma_ls", "--stdio"]
SCRIPTED_SERVER = [sys.executable, str(Path(__file__).with_name("scripted_server.py")), "--stdio"]
