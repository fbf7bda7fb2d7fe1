"""Translation catalogues without gettext's programs: Babel reads the strings, writes the catalogue and compiles it.

Strings come from Python files (``gettext`` and its kin) and from templates (``{% translate %}`` and its kin), which
Django's ``templatize`` turns into what Babel's Python extractor understands.
"""

import io
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

PACKAGE = Path(__file__).resolve().parent.parent
LOCALE = PACKAGE / "locale"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]*\d*(?:\.\d+)?[a-zA-Z]|%[sdrf]|%%|\{\w*(?:![rsa])?(?::[^{}]*)?\}")


@dataclass(frozen=True)
class Flaw:
    """What is wrong with one string of one language."""

    language: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.language}: {self.reason}: {self.text!r}"


def languages() -> list[str]:
    """Languages that have a catalogue, beside English, which the strings are written in."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def catalogue_path(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def _sources() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*")):
        parts = path.relative_to(PACKAGE).parts
        if {"tests", "migrations", "locale", "static"} & set(parts[:-1]):
            continue
        if path.suffix == ".py" or (path.suffix in {".html", ".txt"} and "templates" in parts):
            yield path


def extracted() -> Catalog:
    """Every string marked for translation in the package, with the files it stands in."""
    catalogue = Catalog(project="Rondo", charset="utf-8")
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        place = path.relative_to(PACKAGE.parent).as_posix()
        if path.suffix != ".py":
            # Blanked-out markup keeps its indentation, which Python's tokenizer would take for blocks.
            text = "\n".join(line.lstrip() for line in templatize(text, origin=place).split("\n"))
        found = extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS, comment_tags=("Translators:",))
        for line, message, comments, context in found:
            catalogue.add(message, locations=[(place, line)], auto_comments=comments, context=context)
    return catalogue


def read(language: str) -> Catalog:
    """The catalogue of a language as it is committed; empty if there is none yet."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Rondo", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _key(message: Message) -> tuple[str, str]:
    first = message.id if isinstance(message.id, str) else message.id[0]
    return message.context or "", first


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def update(language: str) -> tuple[int, int]:
    """Brings a catalogue to the strings of today: new ones are added empty, those no longer used leave it.

    Returns:
        How many strings it holds, and how many of them have no translation.
    """
    old = {_key(message): message for message in _messages(read(language))}
    fresh = Catalog(locale=language, project="Rondo", charset="utf-8", fuzzy=False)
    for message in sorted(_messages(extracted()), key=_key):
        known = old.get(_key(message))
        same_shape = known is not None and isinstance(known.id, tuple) == isinstance(message.id, tuple)
        places = sorted({(place, 0) for place, _ in message.locations})
        fresh.add(
            message.id,
            known.string if known is not None and same_shape else None,
            locations=places,
            flags=message.flags,
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if known is not None else (),
            context=message.context,
        )
    _write(catalogue_path(language), fresh)
    return len(_messages(fresh)), sum(not _translated(message) for message in _messages(fresh))


def _write(path: Path, catalogue: Catalog) -> None:
    """Writes without dates and line numbers, so that a change of the file is a change of its strings."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=120, include_lineno=False, omit_header=True)
    head = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Language: {catalogue.locale_identifier}\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + buffer.getvalue().decode(), encoding="utf-8")


def _forms(text: object) -> list[str]:
    return [str(form) for form in text] if isinstance(text, (tuple, list)) else [str(text or "")]


def _translated(message: Message) -> bool:
    return bool(message.string) and all(_forms(message.string))


def placeholders(text: str) -> list[str]:
    """The placeholders of a string, sorted: ``%(name)s``, ``%s`` and ``{name}`` (a doubled ``%%`` is none)."""
    return sorted(found for found in _PLACEHOLDER.findall(text) if found != "%%")


def _misplaced(message: Message) -> bool:
    """Whether a translation's placeholders are not those of the English string (of either form)."""
    originals, forms = _forms(message.id), _forms(message.string)
    allowed = [placeholders(text) for text in originals]
    return any(placeholders(form) not in (allowed if len(originals) > 1 else allowed[:1]) for form in forms)


def flaws(language: str) -> list[Flaw]:
    """What keeps a catalogue from being complete: strings without translation, doubtful, unused, or ill-shaped."""
    wanted = {_key(message): message for message in _messages(extracted())}
    catalogue = read(language)
    known = {_key(message): message for message in _messages(catalogue)}
    found = [
        Flaw(language, text, "not in the catalogue (run: rondo translations extract)")
        for context, text in wanted
        if (context, text) not in known
    ]
    for (context, text), message in known.items():
        if (context, text) not in wanted:
            found.append(Flaw(language, text, "no longer used (run: rondo translations extract)"))
        elif not _translated(message):
            found.append(Flaw(language, text, "not translated"))
        elif message.fuzzy:
            found.append(Flaw(language, text, "marked as doubtful (fuzzy)"))
        elif isinstance(wanted[context, text].id, tuple) != isinstance(message.id, tuple):
            found.append(Flaw(language, text, "singular and plural differ from the program"))
        elif _misplaced(message):
            found.append(Flaw(language, text, f"placeholders differ in {_forms(message.string)}"))
    found += [Flaw(language, str(key), "kept as obsolete") for key in catalogue.obsolete]
    return found


def compile_catalogue(language: str) -> Path:
    """Writes the ``.mo`` file that Django reads; other processes see the old one or the new one, never a part."""
    source = catalogue_path(language)
    target = source.with_suffix(".mo")
    buffer = io.BytesIO()
    write_mo(buffer, read(language))
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        file.write(buffer.getvalue())
    made = Path(name)
    made.chmod(0o644)
    made.replace(target)
    return target


def compile_stale() -> list[str]:
    """Compiles each catalogue that is newer than its ``.mo`` file; returns the languages. Cheap when there is none."""
    done = []
    for language in languages():
        source = catalogue_path(language)
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
            compile_catalogue(language)
            done.append(language)
    return done
