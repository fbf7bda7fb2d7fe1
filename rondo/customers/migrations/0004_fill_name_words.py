"""Fills the table of name words from the names that a home holds: in chunks that commit on their own, so that memory
and write locks stay small, and begun again where it was left when it was stopped."""

import itertools

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Max

# What only a filled home needs is imported when it is met: processes read all migrations at their start.

CHUNK = 20_000
QUIET = 50_000
"""Homes with fewer customers are done before anybody wonders."""


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Each customer's own words and those of the records merged into them; ``later`` but for the first own word."""
    from rondo.foundation.progress import steps

    Customer, Survivor, NameWord = (apps.get_model("customers", name) for name in ("Customer", "Survivor", "NameWord"))
    last = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
    done = NameWord.objects.aggregate(last=Max("customer_id"))["last"] or 0
    if last == 0:
        return
    with steps() as begin:
        report = begin("name words") if last >= QUIET else lambda _done, _total: None
        while done < last:
            done = _fill_chunk(Customer, Survivor, NameWord, done) or last
            report(min(done, last), last)


def _fill_chunk(Customer: type, Survivor: type, NameWord: type, after: int) -> int:
    """Write the words of the next customers by key; the last key done, or 0 when there were none."""
    import pyarrow as pa

    from rondo.foundation.keys import allocate
    from rondo.foundation.loading import bulk

    rows = Customer.objects.filter(pk__gt=after).order_by("pk")  # type: ignore[attr-defined]
    chunk = list(rows.values_list("pk", "folded_name", "is_merged")[:CHUNK])
    if not chunk:
        return 0
    span = (after + 1, chunk[-1][0])
    merged = Survivor.objects.filter(survivor_id__gte=span[0], survivor_id__lte=span[1]).order_by("customer_id")  # type: ignore[attr-defined]
    absorbed: dict[int, list[str]] = {}
    for survivor, name in merged.values_list("survivor_id", "customer__folded_name"):
        absorbed.setdefault(survivor, []).append(name)
    keys: list[int] = []
    words: list[str] = []
    later: list[bool] = []
    for key, own, is_merged in chunk:
        if is_merged:
            continue
        found = dict.fromkeys(itertools.chain(own.split(), *(name.split() for name in absorbed.get(key, ()))))
        first = own.split(" ", 1)[0]
        keys += [key] * len(found)
        words += found
        later += [word != first for word in found]
    if not words:
        return int(chunk[-1][0])
    with transaction.atomic():
        start = allocate(NameWord, len(words))
        columns = {"id": range(start, start + len(words)), "customer_id": keys}
        table = {name: pa.array(values, pa.int64()) for name, values in columns.items()}
        bulk.insert(NameWord, {**table, "word": pa.array(words, pa.string()), "later": pa.array(later)}, len(words))
    return int(chunk[-1][0])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0003_name_words")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
