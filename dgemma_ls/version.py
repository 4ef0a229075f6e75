"""Which version of the program this is.

Not asked of the installed metadata: to read that imports a parser of mail, 12 ms of each start. A
test holds it against ``pyproject.toml``.
"""

VERSION = "0.1.0"
