from __future__ import annotations

import pytest

from lago_mock.likeness import closest, did_you_mean

KNOWN = ["createCustomer", "deleteCustomer", "findTax"]


@pytest.mark.parametrize(
    ("name", "likeness", "near"),
    [
        pytest.param("creatCustomer", 0.6, "createCustomer", id="most alike"),
        pytest.param("findTax", 1.0, "findTax", id="equal"),
        pytest.param("findtax", 1.0, None, id="too much asked for"),
        pytest.param("zzz", 0.6, None, id="no likeness"),
        pytest.param("", 0.6, None, id="nothing"),
    ],
)
def test_the_word_most_alike_is_found(name: str, likeness: float, near: str | None) -> None:
    assert closest(name, KNOWN, likeness) == near


def test_a_sentence_ends_with_the_word_that_was_meant() -> None:
    assert did_you_mean("findTax") == "; did you mean findTax?"
    assert did_you_mean(None) == ""
