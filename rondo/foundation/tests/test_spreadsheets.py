"""What begins a formula is found behind anything that nobody sees, and nothing else is touched."""

import pytest

from rondo.foundation.spreadsheets import begins_formula, harmless
from rondo.interactions.importing.rejects import safe_cell

UNSEEN = {
    "zero width space": "\u200b",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "word joiner": "\u2060",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "variation selector": "\ufe0f",
    "combining grapheme joiner": "\u034f",
    "Mongolian vowel separator": "\u180e",
    "Hangul filler": "\u3164",
    "empty Braille cell": "\u2800",
    "tag character": "\U000e0020",
    "ideographic space": "\u3000",
    "line separator": "\u2028",
    "control character": "\x01",
    "escape": "\x1b",
    "unassigned": "\U000e0fff",
}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "|", "%", "＝", "﹦", "＋", "－", "﹣", "＠", "−"])
@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN.keys())
def test_a_sign_behind_what_nobody_sees_is_guarded(unseen: str, sign: str) -> None:
    for text in (sign + "1", unseen + sign + "1", unseen * 3 + " " + unseen + sign + "1"):
        assert begins_formula(text)
        assert harmless(text) == "'" + text
        assert safe_cell(f"{unseen}{sign}A1").startswith("'")


@pytest.mark.parametrize("lead", ["\t", "\r", "\n", " \t", "\u200b\n"])
def test_a_leading_tab_or_line_break_is_guarded(lead: str) -> None:
    assert harmless(f"{lead}Miller") == f"'{lead}Miller"


@pytest.mark.parametrize(
    "text", ["", "Miller", "a=b", "Groß-Gerau", "1-2", "\u200bMiller", "ümlaut", "'=x", " ", "الاسم"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_numbers_with_a_sign_stay_numbers_in_reject_files() -> None:
    assert [safe_cell(text) for text in ("-1.50", "+7", "-1,5", "--")] == ["-1.50", "+7", "-1,5", "'--"]
    assert harmless("a\x00=") == "a="
