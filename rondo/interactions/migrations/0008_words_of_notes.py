"""Words of what was written and said, so that a note is found by them: an index that the database keeps by itself.

A table of words that triggers keep: on PostgreSQL of text search with its index, on SQLite of FTS5 without content.
Either folds letters as :func:`rondo.foundation.search.fold` does (Müller, Mueller and muller are one), and either knows
only interactions with a text, and those that somebody logged. What it means is in
:mod:`rondo.interactions.wording`, and why in docs/decisions/words-of-notes.md.
"""

from typing import Any

from django.db import migrations

_TWO = [(two, one) for one, second in (("a", "e"), ("o", "e"), ("u", "e")) for two in (one + second, one + "ë")]
_ACCENTS = (
    "àáâãäåāăąæçćĉċčďđèéêëēĕėęěĝğġģĥìíîïĩīĭįĵķĺļľŀłñńņňòóôõöøōŏőœŕŗřśŝşšţťùúûüũūŭůűųŵýÿŷźżž",
    "aaaaaaaaaacccccddeeeeeeeeegggghiiiiiiiijklllllnnnnoooooooooorrrssssttuuuuuuuuuuwyyyzzz",
)
_WANTED = "{0}body <> '' OR {0}actor_id IS NOT NULL"
_WHEN = (
    ("came", "INSERT", "NEW."),
    ("gone", "DELETE", "OLD."),
    ("a_before", "UPDATE OF title, body, actor_id", "OLD."),
    ("b_after", "UPDATE OF title, body, actor_id", "NEW."),
)
"""Triggers, in the order of their names: when, and of which row. Of a change the former words go first."""


def _sqlite(row: str) -> str:
    """The text of a row, as the tokenizer of FTS5 is to have it; that one folds case and accents by itself."""
    said = f"lower({row}title || ' ' || {row}body)"
    for two, one in _TWO:
        said = f"replace({said}, '{two}', '{one}')"
    for letter, plain in zip("ßæÆœŒøØłŁđĐ", ("ss", *"aaoooolldd"), strict=True):
        said = f"replace({said}, '{letter}', '{plain}')"
    return said


def keep_words(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        folded = f"translate(lower($1), '{_ACCENTS[0]}', '{_ACCENTS[1]}')"
        folded = f"replace({folded}, 'ß', 'ss')"
        for one in ("a", "o", "u"):
            folded = f"replace({folded}, '{one}e', '{one}')"
        schema_editor.execute(
            "CREATE FUNCTION interactions_folded(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS "
            f"$$ SELECT regexp_replace({folded}, '[^[:alnum:]]+', ' ', 'g') $$"
        )
        said = "to_tsvector('simple'::regconfig, interactions_folded({0}title || ' ' || left({0}body, 100000)))"
        schema_editor.execute(
            "CREATE TABLE interactions_words (interaction_id bigint PRIMARY KEY, said tsvector NOT NULL)"
        )
        schema_editor.execute(
            f"INSERT INTO interactions_words SELECT id, {said.format('')} FROM interactions_interaction "
            f"WHERE {_WANTED.format('')}"
        )
        schema_editor.execute("CREATE INDEX interaction_words ON interactions_words USING gin (said)")
        bodies = {
            "put": f"INSERT INTO interactions_words VALUES (NEW.id, {said.format('NEW.')})",
            "removed": "DELETE FROM interactions_words WHERE interaction_id = OLD.id",
            "emptied": "DELETE FROM interactions_words",
        }
        for name, body in bodies.items():
            schema_editor.execute(
                f"CREATE FUNCTION interactions_words_{name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {body}; RETURN NULL; END $$"
            )
        for name, when, row in _WHEN:
            does = "removed" if row == "OLD." else "put"
            schema_editor.execute(
                f"CREATE TRIGGER interactions_words_{name} AFTER {when} ON interactions_interaction FOR EACH ROW "
                f"WHEN ({_WANTED.format(row)}) EXECUTE FUNCTION interactions_words_{does}()"
            )
        schema_editor.execute(
            "CREATE TRIGGER interactions_words_emptied AFTER TRUNCATE ON interactions_interaction "
            "FOR EACH STATEMENT EXECUTE FUNCTION interactions_words_emptied()"
        )
        return
    schema_editor.execute(
        "CREATE VIRTUAL TABLE interactions_words USING fts5(said, content='', detail=none, columnsize=0, prefix='3 5', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    put = "INSERT INTO interactions_words (rowid, said) VALUES (new.id, {new})"
    gone = "INSERT INTO interactions_words (interactions_words, rowid, said) VALUES ('delete', old.id, {old})"
    words = {"new": _sqlite("new."), "old": _sqlite("old.")}
    for name, when, row in _WHEN:
        time, does = ("BEFORE", gone) if row == "OLD." else ("AFTER", put)
        schema_editor.execute(
            f"CREATE TRIGGER interactions_words_{name} {time} {when} ON interactions_interaction "
            f"WHEN {_WANTED.format(row)} BEGIN {does.format(**words)}; END"
        )
    schema_editor.execute(
        "INSERT INTO interactions_words (rowid, said) "
        f"SELECT id, {_sqlite('')} FROM interactions_interaction WHERE {_WANTED.format('')}"
    )


def forget_words(apps: Any, schema_editor: Any) -> None:
    on = " ON interactions_interaction" if schema_editor.connection.vendor == "postgresql" else ""
    for name, _when, _row in _WHEN:
        schema_editor.execute(f"DROP TRIGGER interactions_words_{name}{on}")
    if on:
        schema_editor.execute(f"DROP TRIGGER interactions_words_emptied{on}")
        for name in ("words_put", "words_removed", "words_emptied"):
            schema_editor.execute(f"DROP FUNCTION interactions_{name}()")
    schema_editor.execute("DROP TABLE interactions_words")
    if on:
        schema_editor.execute("DROP FUNCTION interactions_folded(text)")


class Migration(migrations.Migration):
    dependencies = [("interactions", "0007_splits")]
    operations = [migrations.RunPython(keep_words, forget_words)]
