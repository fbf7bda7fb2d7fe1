"""Scripts that are made of modules are served as one version."""

from pathlib import Path

import pytest

from rondo.foundation.statics import Statics

pytestmark = pytest.mark.once


def test_a_module_names_those_it_imports_by_what_is_in_them(tmp_path: Path) -> None:
    names = ("rondo/page.js", "rondo/parts/one.js", "other/package.js")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / names[0]).write_text('import { one } from "./parts/one.js";\n')
    (tmp_path / names[1]).write_text("export const one = 1;\n")
    (tmp_path / names[2]).write_text('// import { two } from "./missing.js";\n')
    storage = Statics(location=str(tmp_path), base_url="/static/")
    results = list(storage.post_process({name: (storage, name) for name in names}))
    assert not [outcome for _name, _hashed, outcome in results if isinstance(outcome, Exception)]
    page = (tmp_path / storage.stored_name(names[0])).read_text()
    assert f'from "./parts/{Path(storage.stored_name(names[1])).name}"' in page and "one.js" not in page
