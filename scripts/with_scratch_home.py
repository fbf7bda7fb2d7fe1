"""Runs a command with an empty RONDO_HOME that is removed afterwards: for checks that must not touch anybody's home."""

import os
import subprocess
import sys
import tempfile


def main() -> int:
    """Runs the command given as arguments and returns its exit status."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
    with tempfile.TemporaryDirectory(prefix="rondo-scratch-") as home:
        return subprocess.run(sys.argv[1:], env=kept | {"RONDO_HOME": home}).returncode


if __name__ == "__main__":
    sys.exit(main())
