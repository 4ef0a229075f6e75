import pytest

from dgemma_engine import EngineError
from dgemma_ls.questions import explain


@pytest.mark.parametrize("kind", [EngineError, OSError, ImportError])
def test_what_the_engine_says_of_its_failure_is_passed_on(kind: type[Exception]) -> None:
    assert explain(kind("no such model; choose another")) == "no such model; choose another"


@pytest.mark.parametrize("error", [ImportError(), ValueError("text of a document")])
def test_a_failure_without_words_of_its_own_is_named_by_its_kind(error: Exception) -> None:
    assert type(error).__name__ in explain(error)
    assert "document" not in explain(error)
