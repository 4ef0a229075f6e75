"""``python -m dgemma_ls`` is ``dgemma-ls``."""

import sys

from dgemma_ls.cli import main

if __name__ == "__main__":
    sys.exit(main())
