from dataclasses import fields

import pytest

from dgemma_ls.settings import _CHECKS, Settings, read_settings


@pytest.mark.parametrize("options", [None, {}])
def test_nothing_set_means_the_defaults(options: object) -> None:
    assert read_settings(options) == (Settings(), ())


def test_good_values_are_taken() -> None:
    options = {
        "model": "~/models/dg",
        "device": "cuda:1",
        "n_candidates": 1,
        "debounce_ms": 75,
        "deadline_ms": 400,
    }

    settings, complaints = read_settings(options)

    assert settings == Settings(**options)
    assert complaints == ()


@pytest.mark.parametrize(
    ("key", "value", "default"),
    [
        ("model", "", "'embedded'"),
        ("model", 3, "'embedded'"),
        ("device", None, "'auto'"),
        ("n_candidates", 0, "3"),
        ("n_candidates", True, "3"),
        ("n_candidates", "2", "3"),
        ("debounce_ms", -1, "150"),
        ("deadline_ms", 1.5, "2000"),
        ("deadline_ms", 10**9, "2000"),
    ],
)
def test_a_bad_value_gives_one_message_with_key_and_default_and_spares_the_others(
    key: str, value: object, default: str
) -> None:
    other = "device" if key != "device" else "model"

    settings, complaints = read_settings({key: value, other: "cpu"})

    assert settings == Settings(**{other: "cpu"})
    (complaint,) = complaints
    assert complaint.startswith(f"{key} is {value!r}, must be ")
    assert complaint.endswith(f"using {default}.")


def test_an_unknown_key_is_named_with_those_that_exist() -> None:
    settings, complaints = read_settings({"modle": "x"})

    assert settings == Settings()
    (complaint,) = complaints
    assert complaint.startswith("modle: no such setting; there are model, device,")


@pytest.mark.parametrize("options", [[], "fast", 3])
def test_options_that_are_no_object_are_refused_whole(options: object) -> None:
    settings, complaints = read_settings(options)

    assert settings == Settings()
    assert len(complaints) == 1


def test_a_long_bad_value_is_cut() -> None:
    _settings, (complaint,) = read_settings({"n_candidates": "x" * 1000})

    assert len(complaint) < 200


def test_every_setting_has_a_check() -> None:
    assert list(_CHECKS) == [field.name for field in fields(Settings)]
