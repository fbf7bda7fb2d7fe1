"""All benchmarks, each figure beside a baseline of the same run: ``python -m bench [science load facts pages]``.

Every section runs in a process of its own, so that one's memory does not stand in another's figures.
"""

import argparse
import subprocess
import sys

SECTIONS = {
    "science": "fit and score of the customer-base model beside lifetimes",
    "load": "load of the Complete Journey beside a bare bulk insert, on SQLite and PostgreSQL",
    "facts": "facts of the Complete Journey beside the same query in plain DuckDB",
    "pages": "customer page, list and search at 1,000,000 customers and 20,000,000 interactions",
}


def main() -> int:
    """Run the sections named (default: all) and return the number of those that failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    chosen = parser.parse_args().sections or list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    failed = 0
    for name in chosen:
        print(f"== {name}: {SECTIONS[name]}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
