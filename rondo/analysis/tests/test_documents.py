"""The example of docs/analysts.md runs as it stands, and says what it shows."""

import re
from pathlib import Path

import pytest

import rondo
from rondo.analysis.actions import run_analysis
from rondo.analysis.tests.world import customer, product, purchase
from rondo.foundation.actors import system

TEXT = (Path(__file__).parents[3] / "docs" / "analysts.md").read_text(encoding="utf-8")


@pytest.mark.django_db
def test_the_example_for_analysts_runs() -> None:
    ann, bob = customer("Ann"), customer("Bob")
    purchase(ann, "2024-01-05", 700)
    purchase(ann, "2024-02-05", 900, lines=[(product("tea", "Drinks"), 900, 0)])
    purchase(bob, "2024-02-10", 100)
    run_analysis(system())
    blocks = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "rondo.models()" not in block]
    assert len(blocks) == 7  # the models want more than two customers: see test_choice
    names: dict[str, object] = {"rondo": rondo}
    shown = []
    for block in blocks:
        *body, last = block.strip().splitlines()
        exec("\n".join(body), names)
        shown.append(eval(last, names))  # noqa: S307 - our own document
    listed = set(re.findall(r"`(\w+)`", TEXT.split("`names` lists")[1].split(". The copy holds")[0]))
    assert listed == set(shown[0])
    assert (
        "leads" not in shown[0] and "each as soon as it has a row" in TEXT
    )  # nobody here is to buy for the first time
    months, kinds, late, shares = (table.to_pylist() for table in shown[1:5])
    assert [(str(row["month"])[:7], row["revenue"], row["buyers"]) for row in months] == [
        ("2024-01", 700, 1),
        ("2024-02", 1000, 2),
    ]
    assert kinds == [{"kind": "purchase", "n": 3}]
    assert late[0]["customers"] == 0
    assert shares == [{"category": "Drinks", "spend": 900}, {"category": "Food > Bread", "spend": 800}]
