"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Give the version that is installed; a checkout that is not installed has none."""
    try:
        return version("dgemma-ls")
    except PackageNotFoundError:
        return "(not installed)"
