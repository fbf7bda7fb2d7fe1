"""What an import's figures and findings are called: one and many, and in the reader's language."""

import pytest
from django.utils import translation

from rondo.interactions.importing import wording
from rondo.web.imports.forms import labels_of


def test_figures_agree_with_their_number() -> None:
    assert (wording.counted("customers_created", 1), wording.counted("customers_created", 2)) == (
        "customer created", "customers created",
    )  # fmt: skip
    assert wording.counted("something_else", 1) == "something else"


def test_the_mark_between_columns_is_told_in_words_that_are_translated() -> None:
    assert wording.found_value("delimiter", "semicolon") == "semicolon"
    assert wording.found_value("sheet", "tab") == "tab"
    with translation.override("de"):
        assert wording.found_value("delimiter", "semicolon") == "Semikolon"
        assert wording.counted("customers_created", 1) == "Kunde angelegt"


@pytest.mark.django_db
def test_the_kind_of_record_is_not_called_by_its_first_value() -> None:
    assert labels_of("customers")["kind"] == "Kind of record"
