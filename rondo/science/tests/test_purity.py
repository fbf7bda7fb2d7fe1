"""The science floor stands alone: no framework, no data frame, no other room."""

import ast
import subprocess
import sys
from pathlib import Path

import rondo.science

ROOM = Path(rondo.science.__file__).parent
ALLOWED = {"numpy", "scipy", "sklearn", "rondo.science", "rondo.errors"}


def test_modules_import_arrays_and_errors_only() -> None:
    found = set()
    for module in sorted({*ROOM.glob("*.py"), *ROOM.glob("standing/*.py")}):
        for node in ast.walk(ast.parse(module.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = ".".join(name.split(".")[:2]) if name.startswith("rondo") else name.split(".")[0]
                if top not in ALLOWED and top not in sys.stdlib_module_names:
                    found.add(f"{module.name}: {name}")
    assert not found


def test_importing_it_loads_no_framework() -> None:
    script = (
        "import sys, rondo.science; "
        "print([m for m in ('django', 'pandas', 'pyarrow', 'ibis', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_public_names_exist_and_are_documented() -> None:
    for name in rondo.science.__all__:
        thing = getattr(rondo.science, name)
        assert thing.__doc__, name
    assert sorted(rondo.science.__all__) == list(rondo.science.__all__)
