"""Values of a field replaced in the text of a rule; all else stays as its author wrote it."""

from collections.abc import Mapping
from dataclasses import replace

from rondo.rules.checking import check
from rondo.rules.formatting import Formatter
from rondo.rules.parsing import Parser
from rondo.rules.problems import Path
from rondo.rules.schema import Schema
from rondo.rules.tree import Comparison


class _Comparisons(Parser):
    """A run that notes the conditions on fields and their places."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.found: list[tuple[int, int, Comparison]] = []

    def _comparison(self, path: Path, name: str = "field") -> Comparison:
        start = self.token.start
        node = super()._comparison(path, name)
        if name == "field":
            self.found.append((start, self.tokens[self.at - 1].end, node))
        return node


def with_values(text: str, key: str, become: Mapping[str, str], schema: Schema) -> str:
    """The rule ``text`` with the values of the field ``key`` that ``become`` others; the same where it names none.

    Raises:
        RuleError: the rule is not understood.
    """
    run = _Comparisons(text)
    run.rule()
    for start, end, raw in reversed(run.found):
        term = schema.find(raw.field)
        if term is None or term.key != key:
            continue
        node = check(raw, schema)
        assert isinstance(node, Comparison)
        values = tuple(dict.fromkeys(become.get(one, one) if isinstance(one, str) else one for one in node.values))
        if values != node.values:
            said = Formatter(schema).comparison(replace(node, values=values), schema.short(key), term)
            text = text[:start] + said + text[end:]
    return text
