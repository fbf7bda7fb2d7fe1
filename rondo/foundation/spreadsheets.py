"""Text that goes into files which people open in spreadsheets: none of it may be taken for a formula."""

import unicodedata

_SIGNS = frozenset("=+-@|%\u2212")
_LEADS = frozenset("\t\r\n")
_SILENT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"})
# Unicode counts these as letters or symbols, but they show as nothing (DerivedCoreProperties, Default_Ignorable_Code_
# Point, and the empty Braille cell).
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def begins_formula(text: str) -> bool:
    """Whether a spreadsheet might take ``text`` for a formula.

    What nobody sees (blanks, control and zero-width characters, joiners, direction marks, combining marks without a
    letter) does not count: the first character that shows decides, in its wide and small forms, too. A tab or a line
    break at the very beginning counts as a sign, since programs that split or trim cells make one of what follows.

    >>> begins_formula("=1+1"), begins_formula("\\u200b\\ufeff =1"), begins_formula("Miller = Son")
    (True, True, False)
    """
    if not text:
        return False
    for character in text:
        if character in _LEADS:
            return True
        if unicodedata.category(character) in _SILENT or character in _BLANK_LETTERS:
            continue
        return unicodedata.normalize("NFKC", character)[0] in _SIGNS
    return False


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what would begin one.

    >>> harmless("=1+1"), harmless("Miller")
    ("'=1+1", 'Miller')
    """
    clean = text.replace("\x00", "")
    return "'" + clean if begins_formula(clean) else clean
