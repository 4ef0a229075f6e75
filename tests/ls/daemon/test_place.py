import stat
import sys
from pathlib import Path

import pytest

from dgemma_ls.addresses import AddressError, SocketPath, TcpAddress
from dgemma_ls.daemon.place import (
    Place,
    check_socket_path,
    default_place,
    make_private,
    read_endpoint,
    write_endpoint,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix permissions")


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_each_version_has_a_place_of_its_own_in_the_users_folder(runtime_folder: Path) -> None:
    places = {default_place("1.0"), default_place("1.1"), default_place("1.0")}

    assert len(places) == 2
    assert {place.path.parent for place in places} == {runtime_folder / "dgemma-ls"}


def test_without_a_runtime_folder_the_name_has_the_user_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import os

    monkeypatch.delenv("XDG_RUNTIME_DIR")

    assert default_place("1.0").path.parent.name == f"dgemma-ls-{os.getuid()}"


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_private(folder)
    make_private(folder)  # again is fine

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o701, 0o755])
def test_a_folder_that_others_can_enter_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)

    with pytest.raises(AddressError, match="others can enter"):
        make_private(folder)


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(AddressError, match="is no folder"):
        make_private(tmp_path / "link")


def test_an_endpoint_is_read_as_it_was_written_and_nobody_elses(tmp_path: Path) -> None:
    place = Place(path=tmp_path / "x.json")
    assert read_endpoint(place) is None
    write_endpoint(place, TcpAddress(host="127.0.0.1", port=1234), "secret")
    write_endpoint(place, TcpAddress(host="127.0.0.1", port=1235), "secret2")

    endpoint = read_endpoint(place)

    assert endpoint is not None
    assert endpoint.address == TcpAddress(host="127.0.0.1", port=1235)
    assert endpoint.token == "secret2"
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"host": 1}', '{"host": "h", "port": "x"}'])
def test_an_odd_endpoint_file_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)

    assert read_endpoint(Place(path=tmp_path / "x.json")) is None


def test_a_socket_is_found_only_when_it_is_there(tmp_path: Path) -> None:
    place = Place(path=tmp_path / "x.sock")
    assert read_endpoint(place) is None
    place.path.touch()

    endpoint = read_endpoint(place)
    assert endpoint is not None
    assert endpoint.address == SocketPath(path=place.path)


def test_a_path_that_no_socket_can_have_is_refused() -> None:
    with pytest.raises(AddressError, match="too long for a socket"):
        check_socket_path(Path("/" + "x" * 120))
