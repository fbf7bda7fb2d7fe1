#!/bin/sh
# Prints a Python from 3.11 on that can make a virtual environment; PYTHON=path chooses one. Names are tried by running
# them, since version managers leave names behind that do not run.
for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$name
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$name"
            exit 0
        fi
    fi
done
if [ -n "$found" ]; then
    echo "$found has no venv module; install it (Debian and Ubuntu: apt-get install python3-venv) and run make again." >&2
elif [ -n "$PYTHON" ]; then
    echo "PYTHON=$PYTHON does not run or is older than 3.11; name a Python from 3.11 on." >&2
else
    echo "Python 3.11 or newer is needed and was not found; install it, or name one: make setup PYTHON=/path/to/python3.12" >&2
fi
exit 1
