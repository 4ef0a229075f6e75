import pytest

from .fakes import Program


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str]) -> Program:
    """Give the program as a function from arguments to exit code and output."""
    return Program(capsys)
