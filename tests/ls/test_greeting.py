import json

from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls import greeting


@given(st.text(min_size=1), st.none() | st.text())
def test_a_greeting_is_one_line_that_says_version_and_token(
    version: str, token: str | None
) -> None:
    line = greeting.hello(version, token)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert greeting.is_greeting(line)
    message = greeting.read(line)
    assert message is not None
    assert greeting.version_of(message) == version
    assert greeting.token_fits(message, token)


@given(st.text(), st.text())
def test_only_the_very_token_fits(offered: str, wanted: str) -> None:
    message = greeting.read(greeting.hello("1", offered))

    assert message is not None
    assert greeting.token_fits(message, wanted) == (offered == wanted)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_a_token_that_is_no_text_never_fits(offered: object) -> None:
    message = json.loads(json.dumps({"token": [offered]}))

    assert not greeting.token_fits(message, "wanted")
    assert not greeting.token_fits({}, "wanted")


@given(st.binary())
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    message = greeting.read(line)

    assert message is None or isinstance(message, dict)


def test_an_editors_header_is_no_greeting() -> None:
    assert not greeting.is_greeting(b"Content-Length: 2\r\n")
