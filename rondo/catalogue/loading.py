"""Products from files, and products that orders name before anybody described them."""

from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.catalogue.models import Category, Product
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import Foreseen, differences, quoted, told, update_changed
from rondo.foundation.loading.fields import Field
from rondo.foundation.loading.job import Loader, LoadJob, chunks
from rondo.foundation.loading.removing import remove_unreferenced
from rondo.foundation.models import Load

PATH_MARK = ">"
_BLANK: dict[str, Any] = {
    "name": "",
    "category_id": None,
    "brand": "",
    "own_label": None,
    "size": "",
    "price": None,
    "currency": "",
}


def _known(job: LoadJob, table: str, distinct: str) -> None:
    """``table``(key, id, state): the products that the query ``distinct`` names, as the database has them."""
    keys = job.query(distinct).column(0).drop_null().combine_chunks()
    found = []
    if job.source_id is not None and len(keys):
        wanted = ["number", "id", "load_id"]
        found = bulk.lookup(Product, "number", keys.to_pylist(), wanted, source_id=job.source_id)
    known = pa.table(
        {
            "key": pa.array([row[0] for row in found], pa.string()),
            "id": pa.array([row[1] for row in found], pa.int64()),
            "state": job.states(pa.array([row[2] for row in found], pa.int64())),
        }
    )
    job.put("rondo_known", known)
    job.put("rondo_keys", pa.table({"key": keys}))
    job.run(
        f"CREATE OR REPLACE TABLE \"{table}\" AS SELECT k.key, n.id, coalesce(n.state, 'new') AS state "
        "FROM rondo_keys AS k LEFT JOIN rondo_known AS n USING (key)"
    )


class ProductKeys:
    """Resolves the product numbers of a file: table ``product_keys``(key, id, state new/hidden/known)."""

    def __init__(self, job: LoadJob, distinct: str) -> None:
        self.job = job
        self.distinct = distinct

    def plan(self) -> None:
        """Look the numbers up."""
        _known(self.job, "product_keys", self.distinct)
        created = self.job.number("SELECT count(*) FROM product_keys WHERE state <> 'known'")
        self.job.count("products_created", created)

    def write(self) -> None:
        """Create placeholders for the numbers that nobody has described."""
        job = self.job
        job.run(
            "CREATE OR REPLACE TABLE product_new AS SELECT key, row_number() OVER (ORDER BY key) AS n "
            "FROM product_keys WHERE state = 'new'"
        )
        for first, last in chunks(job.number("SELECT count(*) FROM product_new"), job.options.chunk_rows):
            keys = job.query(f"SELECT key FROM product_new WHERE n BETWEEN {first} AND {last} ORDER BY n").column(0)
            with job.chunk():
                ids = job.insert(
                    Product, {"source_id": job.source_id, "number": keys, "is_placeholder": True}, len(keys)
                )
            job.put("rondo_made", pa.table({"key": keys, "id": ids}))
            job.run("UPDATE product_keys AS p SET id = m.id FROM rondo_made AS m WHERE p.key = m.key")

    def publish(self) -> None:
        """Products of loads taken back that the file names come back as placeholders of this load."""
        ids = self.job.query("SELECT id FROM product_keys WHERE state = 'hidden'").column(0)
        bulk.update(Product, ids, {**_BLANK, "is_placeholder": True, "load_id": self.job.load.pk})


def _by_path(row: Foreseen, paths: dict[int, str]) -> Foreseen:
    """A foreseen change of category, told by the categories' paths."""
    return row[0], "category", paths.get(row[2]), paths.get(row[3])


class ProductLoader(Loader):
    """One row per product number of the source."""

    fields: ClassVar[dict[str, Field]] = {
        "number": Field("key", gettext_lazy("number of the product in the source"), required=True, max_length=60),
        "name": Field("text", gettext_lazy("name"), max_length=200),
        "category": Field(
            "text", gettext_lazy("category, or the path to it with “>” between its levels"), max_length=400
        ),
        "category_2": Field("text", gettext_lazy("level below the category"), max_length=120),
        "category_3": Field("text", gettext_lazy("level below category_2"), max_length=120),
        "brand": Field("text", gettext_lazy("brand or manufacturer"), max_length=80),
        "own_label": Field("boolean", gettext_lazy("whether it is the company's own label")),
        "size": Field("text", gettext_lazy("size of the package"), max_length=60),
        "price": Field("money", gettext_lazy("list price in major units"), minimum=0),
        "currency": Field("currency", gettext_lazy("currency of the price (ISO 4217)"), max_length=3),
    }

    def plan(self) -> None:
        job = self.job
        job.refuse(
            "SELECT line, 'number' AS field, number AS value, "
            f"{quoted(_('stands in the file already, in line'))} || ' ' || first AS reason FROM (SELECT line, number, "
            "min(line) OVER (PARTITION BY number) AS first FROM staged) WHERE line > first"
        )
        self._paths()
        _known(job, "product_keys", "SELECT number FROM staged")
        if job.options.on_new == "skip":
            unknown = "number IN (SELECT key FROM product_keys WHERE state <> 'known')"
            job.count("products_left_out", job.number(f"SELECT count(*) FROM staged WHERE {unknown}"))
            job.run(f"DELETE FROM staged WHERE {unknown}")
            job.run("DELETE FROM product_keys WHERE state <> 'known'")
        for state, name in (("new", "products_created"), ("hidden", "products_created")):
            job.count(name, job.number(f"SELECT count(*) FROM product_keys WHERE state = '{state}'"))
        self.changes: list[tuple[int, dict[str, list[Any]]]] = []
        known = job.number("SELECT count(*) FROM product_keys WHERE state = 'known'")
        if known and job.options.on_match == "skip":
            job.count("products_skipped", known)

    def outcomes(self) -> str:
        known = "update" if self.job.options.on_match == "update" else "keep"
        return (
            f"SELECT r.line, CASE WHEN k.key IS NULL THEN 'leave_out' WHEN k.state = 'known' THEN '{known}' ELSE "
            "'create' END AS outcome, k.id AS record_id, CASE WHEN k.state = 'known' THEN 'number' END AS known_by "
            "FROM rows_read AS r LEFT JOIN product_keys AS k ON k.key = r.number"
        )

    def foresee(self) -> None:
        job = self.job
        if job.options.on_match != "update":
            return
        ids = dict(Category.objects.values_list("path", "pk"))
        job.put(
            "category_ids",
            pa.table({"path": pa.array(list(ids), pa.string()), "id": pa.array(list(ids.values()), pa.int64())}),
        )
        paths = {key: path for path, key in ids.items()}
        for first, last in chunks(job.number("SELECT count(*) FROM staged"), job.options.chunk_rows):
            rows = self._rows("known", first, last)
            found = told(
                rows["line"], rows["product_id"], differences(Product, rows["product_id"], self._columns(rows))
            )
            job.foresee([row if row[1] != "category_id" else _by_path(row, paths) for row in found])
            made = {row["line"]: row["path"] for row in rows.to_pylist() if row["path"] and row["category_id"] is None}
            job.foresee([(line, "category", None, path) for line, path in made.items()])

    def _paths(self) -> None:
        """Column ``path`` of staged: the category path in its normal form, levels joined by " > "."""
        job = self.job
        job.run("ALTER TABLE staged ADD COLUMN path VARCHAR")
        levels = [f'"{name}"' for name in ("category", "category_2", "category_3") if job.has(name)]
        if not levels:
            return
        joined = f"concat_ws(' {PATH_MARK} ', {', '.join(levels)})"
        job.run(f"UPDATE staged SET path = nullif({joined}, '')")
        paths = job.query("SELECT DISTINCT path FROM staged WHERE path IS NOT NULL").column(0).to_pylist()
        normal = {
            path: f" {PATH_MARK} ".join(part[:120] for part in map(str.strip, path.split(PATH_MARK)) if part)
            for path in paths
        }
        job.put(
            "rondo_paths",
            pa.table(
                {"path": pa.array(list(normal), pa.string()), "normal": pa.array(list(normal.values()), pa.string())}
            ),
        )
        job.run("UPDATE staged AS s SET path = nullif(p.normal, '') FROM rondo_paths AS p WHERE p.path = s.path")

    def _categories(self) -> None:
        """Make the categories that are missing; table ``category_ids``(path, id)."""
        job = self.job
        paths = job.query("SELECT DISTINCT path FROM staged WHERE path IS NOT NULL").column(0).to_pylist()
        wanted: set[str] = set()
        for path in paths:
            parts = path.split(f" {PATH_MARK} ")
            wanted |= {f" {PATH_MARK} ".join(parts[: depth + 1]) for depth in range(len(parts))}
        with job.chunk():
            ids = dict(bulk.lookup(Category, "path", wanted, ["path", "id"]))
            missing = sorted(wanted - set(ids), key=lambda path: (path.count(PATH_MARK), path))
            for depth in sorted({path.count(f" {PATH_MARK} ") for path in missing}):
                level = [path for path in missing if path.count(f" {PATH_MARK} ") == depth]
                made = Category.objects.bulk_create(
                    Category(
                        parent_id=ids[path.rpartition(f" {PATH_MARK} ")[0]] if depth else None,
                        name=path.rpartition(f" {PATH_MARK} ")[2],
                        path=path,
                        depth=depth,
                    )
                    for path in level
                )
                ids |= {category.path: category.pk for category in made}
                job.note(Category, [category.pk for category in made])
        job.put(
            "category_ids",
            pa.table({"path": pa.array(list(ids), pa.string()), "id": pa.array(list(ids.values()), pa.int64())}),
        )

    def _columns(self, rows: pa.Table) -> dict[str, Any]:
        """Database columns of the rows' given fields."""
        job = self.job
        columns: dict[str, Any] = {}
        for name in ("name", "brand", "size"):
            if job.has(name):
                columns[name] = pc.fill_null(rows[name], "")
        for name in ("own_label", "price"):
            if job.has(name):
                columns[name] = rows[name]
        if job.has("price"):
            given = rows["currency"] if job.has("currency") else pa.nulls(len(rows), pa.string())
            filled = pc.fill_null(given, job.context.currency)
            columns["currency"] = pc.if_else(pc.is_valid(rows["price"]), filled, "")
        if job.has("category") or job.has("category_2") or job.has("category_3"):
            columns["category_id"] = rows["category_id"]
        return columns

    def _rows(self, state: str, first: int, last: int) -> pa.Table:
        return self.job.query(
            "SELECT * FROM (SELECT s.*, k.id AS product_id, c.id AS category_id, row_number() OVER (ORDER "
            "BY s.line) AS n "
            "FROM staged AS s JOIN product_keys AS k ON k.key = s.number LEFT JOIN category_ids AS c ON "
            "c.path = s.path "
            f"WHERE k.state = '{state}') WHERE n BETWEEN {first} AND {last} ORDER BY n"
        )

    def write(self) -> None:
        job = self.job
        self._categories()
        total = job.number("SELECT count(*) FROM product_keys WHERE state = 'new'")
        for first, last in chunks(total, job.options.chunk_rows):
            rows = self._rows("new", first, last)
            with job.chunk():
                columns = self._columns(rows)
                job.insert(Product, {"source_id": job.source_id, "number": rows["number"], **columns}, len(rows))
            job.tick(len(rows))

    def publish(self) -> None:
        job = self.job
        revived = self._rows("hidden", 1, job.rows_total)
        columns = {**_BLANK, **self._columns(revived), "is_placeholder": False, "load_id": job.load.pk}
        bulk.update(Product, revived["product_id"], columns)
        if job.options.on_match == "update":
            self._update(self._rows("known", 1, job.rows_total))

    def _update(self, rows: pa.Table) -> None:
        """Set what differs on known products, with an audit entry each, which is also what an undo restores."""
        columns = {**self._columns(rows), "is_placeholder": pa.repeat(False, len(rows))}
        changed = update_changed(self.job, Product, "product", rows["product_id"], columns)
        self.job.count("products_updated", changed)


def remove_products(load: Load, low: int, high: int) -> int:
    """Delete the products that a dead load made; how many are left because lines of another load refer to them."""
    return remove_unreferenced(Product, load.pk, low, high)


def remove_categories(load: Load, low: int, high: int) -> int:
    """Delete the categories that a dead load made, leaf by leaf, where no product came to need them; never waits."""
    made = Category.objects.filter(pk__range=(low, high))
    used = models.Exists(Product.objects.filter(category_id=models.OuterRef("pk")))
    parent = models.Exists(Category.objects.filter(parent_id=models.OuterRef("pk")))
    while Category.objects.filter(pk__in=list(made.filter(~used, ~parent).values_list("pk", flat=True))).delete()[0]:
        pass
    return 0
