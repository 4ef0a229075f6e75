import pytest

from dgemma_ls.addresses import AddressError, TcpAddress, parse_tcp, require_guard


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:7777", "127.0.0.1", 7777),
        ("localhost:0", "localhost", 0),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_an_address_is_read_and_written_the_same(text: str, host: str, port: int) -> None:
    address = parse_tcp(text)

    assert address == TcpAddress(host=host, port=port)
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "7777", "host", "host:", ":1", "h:65536", "::1:7", "a b:1"])
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(AddressError, match="is not HOST:PORT") as caught:
        parse_tcp(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    require_guard(TcpAddress(host=host, port=1), None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.evil"])
def test_an_address_that_others_can_reach_needs_a_token(host: str) -> None:
    address = TcpAddress(host=host, port=1)

    with pytest.raises(AddressError, match="--token-file"):
        require_guard(address, None)
    require_guard(address, "a token")
