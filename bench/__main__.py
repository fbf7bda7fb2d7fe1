"""All benchmarks, each figure beside a baseline of the same run: ``python -m bench [SECTION ...] [OPTIONS]``.

Every section runs in a process of its own, so that one's memory does not stand in another's figures.
"""

import argparse
import subprocess
import sys

SECTIONS = {
    "science": "fit and score of the customer-base model beside lifetimes",
    "hybrid": "hold-outs of the hybrid beside the four models of purchases, on CDNOW and the Complete Journey",
    "intervals": "coverage of the 90 % intervals beside plainer rules, on CDNOW and the Complete Journey",
    "targets": "twins and propensities of the Complete Journey beside nearest neighbours and plain rankings",
    "next": "what is bought next on the Complete Journey's last baskets beside own frequency and popularity",
    "leads": "first purchases of a category on the Complete Journey beside the rates of the categories",
    "duplicates": "likely duplicates on FEBRL3 beside exact matching and plain Splink, and of made-up customers",
    "load": "load of the Complete Journey beside a bare bulk insert, on SQLite and PostgreSQL",
    "facts": "facts of the Complete Journey beside the same query in plain DuckDB",
    "spark": "facts of the Complete Journey on a Spark cluster of two workers beside DuckDB",
    "analysis": "the whole analysis, step by step, at 1,000,000 customers and 20,000,000 interactions",
    "rules": "count and sample of rules at 1,000,000 customers and 20,000,000 interactions",
    "pages": "lists, views, search and customer page, eight users at once, at 1,000,000 customers",
    "people": "import of customers against as many beside a bare bulk insert, on SQLite and PostgreSQL",
    "search": "the search by what is typed at 1,000,000 customers beside SQL without its index",
    "reports": "pages of the demo as PDF beside the time of the page itself",
}


def main() -> int:
    """Run the sections named (default: all) and return the number of those that failed; what follows the name of a
    single section, from the first option on, is the section's."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    given = sys.argv[1:]
    cut = next(
        (at for at, word in enumerate(given) if word.startswith("-") and word not in ("-h", "--help")), len(given)
    )
    further = given[cut:]
    chosen = parser.parse_args(given[:cut]).sections or list(SECTIONS)
    if further and len(chosen) != 1:
        parser.error(f"{further[0]} belongs to one section: name it, and it alone")
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    failed = 0
    for name in chosen:
        print(f"== {name}: {SECTIONS[name]}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}", *further]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
