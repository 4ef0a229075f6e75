from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.settings import (
    Settings,
    _field_docs,
    read_settings,
    settings_page,
    update_settings,
)


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


MACHINE = {
    "model": "/m",
    "device": "cuda:1",
    "record_dir": "/r",
    "statistics_file": "/s",
    "unload_after_s": 60,
}


def test_settings_of_the_machine_are_those_about_what_is_loaded_or_written() -> None:
    found = {option.name for option in fields(Settings) if option.metadata["machine"]}

    assert found == {*MACHINE, "trusted"}


@pytest.mark.parametrize("trusted", [False, "yes", 1, None])
@pytest.mark.parametrize("key", MACHINE)
def test_an_untrusted_workspace_sets_nothing_of_the_machine(key: str, trusted: object) -> None:
    settings, complaints = read_settings({key: MACHINE[key], "n_candidates": 5, "trusted": trusted})

    assert settings == Settings(n_candidates=5, trusted=False)
    assert any(complaint.startswith(f"{key} is not taken") for complaint in complaints)


@pytest.mark.parametrize("key", MACHINE)
def test_pulled_configuration_sets_nothing_of_the_machine_even_when_trusted(key: str) -> None:
    before = Settings(model="/mine")

    settings, (complaint,) = update_settings(
        before, {key: MACHINE[key], "deadline_ms": 300, "trusted": True}
    )

    assert settings == Settings(model="/mine", deadline_ms=300)
    assert complaint.startswith(f"{key} is not taken from a workspace")


def test_pulled_configuration_cannot_make_a_workspace_trusted() -> None:
    before, _complaints = read_settings({"trusted": False})

    settings, _complaints = update_settings(before, {"trusted": True, "model": "/evil"})

    assert not settings.trusted
    assert settings.model == "embedded"


def test_pulled_configuration_that_repeats_what_is_in_force_is_no_reason_to_complain() -> None:
    before = Settings(model="/mine", n_candidates=2)

    assert update_settings(before, {"model": "/mine", "device": None, "n_candidates": 2}) == (
        before,
        (),
    )


@pytest.mark.parametrize("section", [None, {}, {"model": None}])
def test_nothing_pulled_changes_nothing(section: object) -> None:
    before = Settings(debounce_ms=7)

    assert update_settings(before, section) == (before, ())


def test_a_bad_pulled_value_keeps_what_is_in_force_and_is_named() -> None:
    settings, (complaint,) = update_settings(Settings(debounce_ms=7), {"debounce_ms": "slow"})

    assert settings.debounce_ms == 7
    assert complaint.startswith("debounce_ms is 'slow', must be a whole number from 0 to 10000")
    assert complaint.endswith("using 7.")


def test_a_pulled_section_that_is_no_object_is_refused_whole() -> None:
    settings, (complaint,) = update_settings(Settings(debounce_ms=7), [1])

    assert settings.debounce_ms == 7
    assert "dgemma must be an object" in complaint


@given(
    st.dictionaries(
        st.sampled_from([option.name for option in fields(Settings)]) | st.text(),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    )
)
def test_whatever_is_sent_the_settings_in_force_are_good(options: dict[str, object]) -> None:
    settings, complaints = read_settings(options)

    for option in fields(Settings):
        expected, good = option.metadata["check"]
        assert good(getattr(settings, option.name)), expected
    assert update_settings(settings, options)[0].model == settings.model
    assert all(len(complaint) < 300 for complaint in complaints)


def test_the_page_about_settings_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"

    assert page.read_text(encoding="utf-8") == settings_page()


def test_every_setting_has_a_docstring() -> None:
    assert list(_field_docs()) == [option.name for option in fields(Settings)]
