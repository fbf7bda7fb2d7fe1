"""Customers from files, and customers that orders and contacts name before anybody described them."""

from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.customers import names
from rondo.customers.actions.gate import hold_all, one_at_a_time
from rondo.customers.attribute_values import column_of
from rondo.customers.changed import mark_loaded
from rondo.customers.identifiers import PRIORITY
from rondo.customers.loading.attributes import PREFIX, Attributes, fields_of, shown, stored_columns
from rondo.customers.loading.endings import UNTIL
from rondo.customers.loading.households import FIELD, POSITION, Households
from rondo.customers.loading.keys import known_identifiers, normalised, revive
from rondo.customers.loading.matching import deciding, free, match, owned_by
from rondo.customers.loading.tags import refuse_overfull, with_those_held
from rondo.customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Customer,
    Identifier,
    NameWord,
    Survivor,
)
from rondo.errors import InputError, Overtaken
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import Foreseen, differences, quoted, told, update_changed
from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loading.job import Loader, chunks
from rondo.foundation.models import Load
from rondo.foundation.search import fold

IDENTIFIER_FIELDS = {"external_id": "external", "email": "email", "card": "card", "phone": "phone"}
ADDRESS_FIELDS = ("street", "postal_code", "city", "region", "country")


class CustomerLoader(Loader):
    """One row per customer, recognised by external id, then e-mail, phone, card."""

    publishing = False

    fields: ClassVar[dict[str, Field]] = {
        "external_id": Field("key", gettext_lazy("number of the customer in the source")),
        "kind": Field(
            "choice",
            gettext_lazy("kind of record: person, household or organisation; a person unless told otherwise"),
            choices=("person", "household", "organisation"),
        ),
        "name": Field("text", gettext_lazy("full name as shown"), max_length=200),
        "given_name": Field("text", gettext_lazy("given name"), max_length=100),
        "family_name": Field("text", gettext_lazy("family name"), max_length=100),
        "email": Field("key", gettext_lazy("e-mail address")),
        "phone": Field(
            "key", gettext_lazy("phone number, with country code or of the country chosen for numbers without one")
        ),
        "card": Field("key", gettext_lazy("number of the customer card")),
        "street": Field("text", gettext_lazy("street and number"), max_length=200),
        "postal_code": Field("text", gettext_lazy("postal code"), max_length=20),
        "city": Field("text", gettext_lazy("city"), max_length=120),
        "region": Field("text", gettext_lazy("region or state"), max_length=120),
        "country": Field("country", gettext_lazy("country (ISO 3166, two letters)"), max_length=2),
        "language": Field("text", gettext_lazy("language tag such as en or de"), max_length=8),
        "birth_date": Field("date", gettext_lazy("date of birth"), past=True),
        "known_since": Field("date", gettext_lazy("first day the customer is known"), past=True),
        FIELD: Field(
            "text",
            gettext_lazy(
                "household that the customer lives in, by its name or number; rows with the same live together"
            ),
            max_length=200,
        ),
        POSITION: Field("text", gettext_lazy("as what the customer lives there, such as mother"), max_length=60),
        UNTIL: Field(
            "date",
            gettext_lazy("last day on which the customer lived in the household; ends the membership"),
            past=True,
        ),
        "known_since_at_least": Field("boolean", gettext_lazy("the relationship is older than the first day known")),
    }

    @classmethod
    def available(cls, options: ImportOptions) -> dict[str, Field]:
        """The fields, and ``attribute:KEY`` for every attribute defined or to be defined."""
        return {**cls.fields, **fields_of(options)}

    def plan(self) -> None:
        job = self.job
        self.taking: dict[int, int] = {}
        self.given = {field: kind for field, kind in IDENTIFIER_FIELDS.items() if job.has(field)}
        if not self.given:
            raise InputError(
                _("Customers need a column that recognises them: map one of %(fields)s.")
                % {"fields": ", ".join(IDENTIFIER_FIELDS)}
            )
        if job.options.match_by and not set(job.options.match_by) & set(self.given.values()):
            raise InputError(
                _("No column holds an identifier that may match (%(kinds)s); map one, or let others match too.")
                % {"kinds": ", ".join(job.options.match_by)}
            )
        none = " AND ".join(f'"{field}" IS NULL' for field in self.given)
        first = next(iter(self.given))
        reason = quoted(_("is missing: nothing in the row recognises the customer"))
        job.refuse(f"SELECT line, '{first}' AS field, NULL AS value, {reason} AS reason FROM staged WHERE {none}")
        job.run(
            "CREATE OR REPLACE TABLE row_identifiers (line BIGINT, kind VARCHAR, value VARCHAR, shown VARCHAR, "
            "customer_id BIGINT, identifier_id BIGINT, state VARCHAR, rank INTEGER)"
        )
        for field, kind in self.given.items():
            self._identifiers(field, kind)
        self.attributes = Attributes(job)
        self.attributes.check()
        self.households = Households(job)
        self.households.check()
        self._match()
        self.households.plan()

    def _identifiers(self, field: str, kind: str) -> None:
        job = self.job
        normalised(job, kind, f'SELECT DISTINCT "{field}" FROM staged', "forms")
        job.refuse(
            f"SELECT s.line, '{field}' AS field, s.\"{field}\" AS value, f.reason FROM staged AS s "
            f'JOIN forms AS f ON f.raw = s."{field}" WHERE f.reason IS NOT NULL'
        )
        reason = quoted(_("stands in the file already, in line"))
        job.refuse(
            f"SELECT line, '{field}' AS field, raw AS value, {reason} || ' ' || first AS reason FROM ("
            "SELECT s.line, f.raw, min(s.line) OVER (PARTITION BY f.value) AS first FROM staged AS s "
            f'JOIN forms AS f ON f.raw = s."{field}") WHERE line > first'
        )
        known_identifiers(job, kind, "SELECT DISTINCT value FROM forms", "known")
        job.run(
            f"INSERT INTO row_identifiers SELECT s.line, '{kind}', f.value, f.shown, k.customer_id, k.id, "
            f"coalesce(k.state, 'new'), {PRIORITY.index(kind)} FROM staged AS s JOIN forms AS f ON f.raw = "
            f's."{field}" '
            "LEFT JOIN known AS k ON k.value = f.value"
        )

    def _match(self) -> None:
        job = self.job
        job.run("DELETE FROM row_identifiers WHERE line NOT IN (SELECT line FROM staged)")
        match(job)
        self.attributes.check_matched()
        self.households.endings.check_matched()
        refuse_overfull(job, self.attributes.known)
        if job.options.on_new == "skip":
            job.count("customers_left_out", job.number("SELECT count(*) FROM matched WHERE state <> 'known'"))
            job.run("DELETE FROM matched WHERE state <> 'known'")
        job.count("customers_created", job.number("SELECT count(*) FROM matched WHERE state <> 'known'"))
        known = job.number("SELECT count(*) FROM matched WHERE state = 'known'")
        if job.options.on_match == "skip":
            job.count("customers_skipped", known)

    def outcomes(self) -> str:
        known = "update" if self.job.options.on_match == "update" else "keep"
        return (
            "SELECT s.line, CASE WHEN m.line IS NULL THEN 'leave_out' WHEN m.state = 'known' "
            f"THEN '{known}' ELSE 'create' END AS outcome, r.root AS record_id, i.known_by "
            "FROM staged AS s LEFT JOIN matched AS m ON m.line = s.line "
            "LEFT JOIN customer_roots AS r ON r.id = m.customer_id LEFT JOIN (SELECT line, "
            "string_agg(kind, ',' ORDER BY rank) AS known_by FROM row_identifiers WHERE state = 'known' AND "
            f"{deciding(self.job)} GROUP BY line) "
            "AS i ON i.line = s.line"
        )

    def foresee(self) -> None:
        job = self.job
        if job.options.on_match != "update":
            return
        total = job.number("SELECT count(*) FROM matched WHERE state = 'known'")
        for first, last in chunks(total, job.options.chunk_rows):
            rows = self._rows("known", first, last)
            keys = self._survivors(rows)
            found = told(rows["line"], keys, differences(Customer, keys, self._columns(rows)))
            found += self._foreseen_addresses(rows, keys) + self._foreseen_attributes(rows, keys)
            job.foresee(found)
        job.foresee(self.households.foresee())
        job.run(
            "INSERT INTO foreseen SELECT i.line, i.kind, NULL, i.shown FROM row_identifiers AS i JOIN matched AS m "
            "ON m.line = i.line WHERE m.state = 'known' AND i.state IN ('new', 'freed')"
        )

    def _survivors(self, rows: pa.Table) -> pa.Array:
        """The records that stand for the known customers of ``rows``."""
        given = rows["customer_id"].to_pylist()
        survivors = dict(bulk.lookup(Survivor, "customer_id", given, ["customer_id", "survivor_id"]))
        return pa.array([survivors.get(key, key) for key in given], pa.int64())

    def _columns(self, rows: pa.Table) -> dict[str, Any]:
        """Database columns of the rows' given fields."""
        job = self.job
        columns: dict[str, Any] = {}
        for field in ("given_name", "family_name", "language"):
            if job.has(field):
                columns[field] = pc.fill_null(rows[field], "")
        for field in ("birth_date", "known_since"):
            if job.has(field):
                columns[field] = rows[field]
        if job.has("known_since_at_least"):
            columns["known_since_at_least"] = pc.fill_null(rows["known_since_at_least"], False)
        if job.has("kind"):
            columns["kind"] = pc.fill_null(rows["kind"], "person")
        if job.has("name") or job.has("given_name") or job.has("family_name"):
            empty = pa.chunked_array([pa.repeat("", len(rows))])
            parts = [pc.fill_null(rows[f], "") if job.has(f) else empty for f in ("given_name", "family_name")]
            joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*parts, " "))
            if job.has("name"):
                joined = pc.coalesce(rows["name"], joined)
            columns["name"] = pc.utf8_slice_codeunits(joined, 0, 200)
            columns["folded_name"] = pa.array([fold(name)[:200] for name in columns["name"].to_pylist()], pa.string())
        return columns

    def _rows(self, state: str, first: int, last: int) -> pa.Table:
        return self.job.query(
            "SELECT * FROM (SELECT s.*, m.customer_id, row_number() OVER (ORDER BY s.line) AS n FROM staged AS s "
            f"JOIN matched AS m ON m.line = s.line WHERE m.state = '{state}') WHERE n BETWEEN {first} AND "
            f"{last} ORDER BY n"
        )

    def write(self) -> None:
        job = self.job
        self.attributes.begin()
        self.households.write()
        taking = job.query(
            "SELECT line FROM row_identifiers JOIN matched AS m USING (line) WHERE m.state = 'new' AND "
            "row_identifiers.state = 'freed'"
        )
        taken = set(taking["line"].to_pylist())
        total = job.number("SELECT count(*) FROM matched WHERE state = 'new'")
        for first, last in chunks(total, job.options.chunk_rows):
            rows = self._rows("new", first, last)
            with job.chunk():
                columns = self._columns(rows)
                fields = {**columns, **owned_by(job), "is_demo": job.options.is_demo}
                ids = job.insert(Customer, fields, len(rows))
                if "folded_name" in columns:
                    job.insert(NameWord, *names.columns_of_new(ids.to_pylist(), columns["folded_name"].to_pylist()))
                self._insert_identifiers(pa.table({"line": rows["line"], "owner": ids}))
                self._insert_addresses(rows, ids)
                self._insert_attributes(rows, ids)
                self.households.link_new(rows["line"], ids)
            if taken:
                made = zip(rows["line"].to_pylist(), ids.to_pylist(), strict=True)
                self.taking.update((line, key) for line, key in made if line in taken)
            job.tick(len(rows))

    def _insert_identifiers(self, owners: pa.Table) -> None:
        """The identifiers of the given lines that the database lacks, for the customers the lines became."""
        job = self.job
        job.put("owners", owners)
        rows = job.query(
            "SELECT o.owner, i.kind, i.value, i.shown FROM row_identifiers AS i JOIN owners AS o ON o.line = i.line "
            "WHERE i.state = 'new' ORDER BY i.line, i.rank"
        )
        self._add_identifiers(rows)

    def _add_identifiers(self, rows: pa.Table) -> None:
        job = self.job
        source = pc.if_else(pc.equal(rows["kind"], "external"), pa.scalar(job.source_id, pa.int64()), None)
        columns = {
            "customer_id": rows["owner"],
            "kind": rows["kind"],
            "source_id": source,
            "value": rows["value"],
            "shown": rows["shown"],
            "is_demo": job.options.is_demo,
        }
        self._add(Identifier, columns, len(rows))

    def _add(self, model: type[models.Model], columns: dict[str, Any], count: int) -> None:
        """Insert what belongs to customers; when the run is published, to those that were there before."""
        self.job.insert(model, columns, count)
        if self.publishing:
            self.job.touched.update(columns["customer_id"].to_pylist())

    def _insert_addresses(self, rows: pa.Table, ids: Any) -> None:
        given = [field for field in ADDRESS_FIELDS if self.job.has(field)]
        if not given or not len(rows):
            return
        columns = {field: pc.fill_null(rows[field], "") for field in given}
        filled = pc.not_equal(pc.binary_join_element_wise(*columns.values(), ""), "")
        table = pa.table({"customer_id": ids, **columns}).filter(filled)
        self._add(
            Address, {**{n: table[n] for n in table.column_names}, "is_demo": self.job.options.is_demo}, len(table)
        )

    def _insert_attributes(self, rows: pa.Table, ids: Any) -> None:
        for definition, values in self.attributes.of_new(rows):
            self._insert_attribute(definition, values, ids)

    def publish(self) -> None:
        job = self.job
        self.publishing = True
        self._hold()
        self._take_over()
        revived = self._rows("hidden", 1, job.rows_total)
        if len(revived):
            free(job, "hidden")
            known = job.query("SELECT identifier_id FROM row_identifiers WHERE state = 'hidden'")
            revive(job, revived["customer_id"], self._columns(revived), known["identifier_id"])
            self._insert_identifiers(pa.table({"line": revived["line"], "owner": revived["customer_id"]}))
            self._insert_addresses(revived, revived["customer_id"])
            self._insert_attributes(revived, revived["customer_id"])
        if job.options.on_match == "update":
            free(job, "known")
            self._update(self._rows("known", 1, job.rows_total))
        self.households.publish()
        mark_loaded(job.touched, job.change)
        Load.objects.filter(pk=job.load.pk).update(spans=job.load.spans)

    def _take_over(self) -> None:
        """Give new customers the identifiers of their rows that only a run taken back had said of somebody."""
        if not self.taking:
            return
        free(self.job, "new")
        rows = self.job.query("SELECT line, kind, value, shown FROM freed ORDER BY line, rank")
        owners = pa.array([self.taking[line] for line in rows["line"].to_pylist()], pa.int64())
        self._add_identifiers(rows.append_column("owner", owners))

    def _hold(self) -> None:
        """Let nobody change the customers of the file until it is published, nor who is who; and take each row for whom
        its identifier recognises now: it may have gone to another record by a split since the file was read.

        Raises:
            Overtaken: an identifier that only a run taken back had said is gone.
        """
        job = self.job
        self.attributes.hold(row for _field, key in self.attributes.given if (row := self.attributes.known.get(key)))
        one_at_a_time()
        found = job.query(
            "SELECT m.line, m.state, m.customer_id, arg_min(i.identifier_id, i.rank) AS identifier FROM matched AS m "
            "JOIN row_identifiers AS i ON i.line = m.line AND i.state = m.state AND i.customer_id = m.customer_id "
            "WHERE m.state <> 'new' GROUP BY ALL"
        )
        now = dict(bulk.lookup(Identifier, "id", found["identifier"].to_pylist(), ["id", "customer_id"]))
        rows = found.to_pylist()
        if any(one["state"] == "hidden" and one["identifier"] not in now for one in rows):
            raise Overtaken
        gone = [one for one in rows if now.get(one["identifier"], one["customer_id"]) != one["customer_id"]]
        if gone:
            lines = {"line": [one["line"] for one in gone], "owner": [now[one["identifier"]] for one in gone]}
            job.put("moved", pa.table({name: pa.array(values, pa.int64()) for name, values in lines.items()}))
            job.run("UPDATE matched AS m SET customer_id = n.owner FROM moved AS n WHERE n.line = m.line")
        there = job.query("SELECT customer_id FROM matched WHERE state <> 'new'").column(0).to_pylist()
        hold_all([*there, *self.households.held()])

    def _update(self, rows: pa.Table) -> None:
        """Set what differs on known customers; a merged record passes its fields on to the one that survives it. Rows
        whose customers became one since the file was read follow one another."""
        if not len(rows):
            return
        keys = self._survivors(rows)
        seen: dict[int, int] = {}
        turns: dict[int, list[int]] = {}
        for place, key in enumerate(keys.to_pylist()):
            seen[key] = seen.get(key, -1) + 1
            turns.setdefault(seen[key], []).append(place)
        for places in turns.values():
            whole = len(places) == len(rows)
            self._update_each(rows if whole else rows.take(places), keys if whole else keys.take(pa.array(places)))

    def _update_each(self, rows: pa.Table, keys: pa.Array) -> None:
        job = self.job
        columns = self._columns(rows)
        changed = update_changed(job, Customer, "customer", keys, columns, keys) if columns else 0
        if changed and "folded_name" in columns:
            names.reindex(keys.to_pylist())
        job.count("customers_updated", changed)
        self._insert_identifiers(pa.table({"line": rows["line"], "owner": rows["customer_id"]}))
        self._update_addresses(rows, keys)
        self._update_attributes(rows, keys)

    def _update_addresses(self, rows: pa.Table, keys: pa.Array) -> None:
        """A customer without an address gets the row's; a known address is changed where it differs."""
        job = self.job
        given = [field for field in ADDRESS_FIELDS if job.has(field)]
        if not given:
            return
        newest = self._newest_addresses(keys)
        has = pa.array([key in newest for key in keys.to_pylist()], pa.bool_())
        lacking = pc.invert(has)
        self._insert_addresses(rows.filter(lacking), keys.filter(lacking))
        kept = rows.filter(has)
        ids = pa.array([newest[key] for key in keys.filter(has).to_pylist()], pa.int64())
        columns = {field: pc.fill_null(kept[field], "") for field in given}
        job.count("addresses_updated", update_changed(job, Address, "address", ids, columns, keys.filter(has)))

    def _newest_addresses(self, keys: pa.Array) -> dict[int, int]:
        """The address of each customer that a row changes, where there is one."""
        found = bulk.lookup(Address, "customer_id", keys.to_pylist(), ["customer_id", "id", "load_id"])
        hidden = set(self.job.hidden)
        newest: dict[int, int] = {}
        for customer, address, load in found:
            if load not in hidden:
                newest[customer] = max(address, newest.get(customer, 0))
        return newest

    def _foreseen_addresses(self, rows: pa.Table, keys: pa.Array) -> list[Foreseen]:
        given = [field for field in ADDRESS_FIELDS if self.job.has(field)]
        if not given:
            return []
        newest = self._newest_addresses(keys)
        columns = {field: pc.fill_null(rows[field], "") for field in given}
        has = pa.array([key in newest for key in keys.to_pylist()], pa.bool_())
        ids_ = pa.array([newest[key] for key in keys.filter(has).to_pylist()], pa.int64())
        kept = {field: values.filter(has) for field, values in columns.items()}
        found = told(rows["line"].filter(has), ids_, differences(Address, ids_, kept))
        lacking = pc.invert(has)
        lines = rows["line"].filter(lacking).to_pylist()
        for field, values in columns.items():
            added = zip(lines, values.filter(lacking).to_pylist(), strict=True)
            found += [(line, field, None, value) for line, value in added if value]
        return found

    def _foreseen_attributes(self, rows: pa.Table, keys: pa.Array) -> list[Foreseen]:
        found: list[Foreseen] = []
        job = self.job
        for field in job.columns:
            if not field.startswith(PREFIX):
                continue
            definition = self.attributes.known.get(field.removeprefix(PREFIX))
            known: dict[int, Any] = {}
            values_given = rows[field]
            if definition is not None:
                values_given = with_those_held(job, definition, keys, values_given)
                column = column_of(definition.type)
                values = bulk.lookup(
                    AttributeValue,
                    "customer_id",
                    keys.to_pylist(),
                    ["customer_id", column],
                    definition_id=definition.pk,
                )
                known = {customer: shown(definition, value) for customer, value in values}
            told = zip(rows["line"].to_pylist(), keys.to_pylist(), values_given.to_pylist(), strict=True)
            for line, key, given in told:
                value = shown(definition, given)
                if value is not None and value != known.get(key):
                    found.append((line, field, known.get(key), value))
        return found

    def _update_attributes(self, rows: pa.Table, keys: pa.Array) -> None:
        job = self.job
        for field in job.columns:
            if not field.startswith(PREFIX):
                continue
            definition = self.attributes.known[field.removeprefix(PREFIX)]
            self.attributes.hold([definition])
            found = bulk.lookup(
                AttributeValue,
                "customer_id",
                keys.to_pylist(),
                ["customer_id", "id", "load_id"],
                definition_id=definition.pk,
            )
            known = {row[0]: row[1] for row in found}
            has = pa.array([key in known for key in keys.to_pylist()], pa.bool_())
            lacking = rows.filter(pc.invert(has))
            only = lacking.select(["line", field])
            self._insert_attribute(definition, only[field], keys.filter(pc.invert(has)))
            kept = rows.filter(has)
            ids = pa.array([known[key] for key in keys.filter(has).to_pylist()], pa.int64())
            owners = keys.filter(has)
            columns = stored_columns(definition, with_those_held(job, definition, owners, kept[field]))
            changed = update_changed(job, AttributeValue, "attribute", ids, columns, owners)
            job.count("attributes_updated", changed)

    def _insert_attribute(self, definition: AttributeDefinition, values: Any, owners: Any) -> None:
        table = pa.table({"customer": owners, "value": values})
        table = table.filter(pc.is_valid(table["value"]))
        columns = stored_columns(definition, table["value"])
        self._add(
            AttributeValue, {"customer_id": table["customer"], "definition_id": definition.pk, **columns}, len(table)
        )
