"""Names in templates that are looked up the short way: what is written is what Django writes."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import Context, Engine, Template
from django.template.base import VariableNode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override

from rondo.foundation.folding import fold
from rondo.foundation.quick import QuickNode


class Silent(ObjectDoesNotExist):
    """Pages leave it out."""

    silent_variable_failure = True


class Thing:
    """With everything that a name in a template can lead to."""

    plain = "<b>"
    safe = mark_safe("<i>")
    lazy = gettext_lazy("Customers")
    none = None

    def __repr__(self) -> str:
        return "a <thing>"

    def method(self) -> str:
        return "called & done"

    def wants(self, argument: str) -> str:
        return argument

    def changes(self) -> str:
        raise AssertionError("never called by a page")

    changes.alters_data = True  # type: ignore[attr-defined]

    @property
    def silent(self) -> str:
        raise Silent

    @property
    def nested(self) -> "Thing":
        return Thing()


class Uncalled:
    """A class that templates do not call."""

    do_not_call_in_templates = True
    name = "itself"


class Keyed(Thing):
    """Keys come before attributes."""

    def __getitem__(self, key: str) -> str:
        return {"plain": "by key"}[key]


NAMES = (
    "thing", "thing.plain", "thing.safe", "thing.lazy", "thing.none", "thing.none.more", "thing.method", "thing.wants",
    "thing.changes", "thing.silent", "thing.nested.nested.plain", "thing.absent", "thing.absent.more", "absent",
    "absent.more",
    "keyed.plain", "keyed.safe", "keyed.absent", "told.key", "told.items", "told.absent", "told.deep.key",
    "many.1", "many.9", "many.first", "number", "share", "money", "day", "yes", "none", "none.absent", "uncalled.name",
    "text.upper", "text.0", "True", "dicts", "template_name", "render_context.template", "call", "call.key",
)  # fmt: skip


def _values() -> dict[str, Any]:
    return {
        "thing": Thing(), "keyed": Keyed(), "told": {"key": "'quoted'", "items": "own", "deep": {"key": 3}},
        "many": ["a", "b"], "number": 1234567, "share": 0.25, "money": Decimal("12.50"), "day": date(2026, 3, 1),
        "yes": True, "none": None, "uncalled": Uncalled, "text": "straße", "call": lambda: {"key": "of what it gave"},
    }  # fmt: skip


def _written(source: str, folded: bool, engine: Engine) -> str:
    template = Template("{% load i18n %}" + source, engine=engine)
    if folded:
        fold(template)
        left = [node for node in template.nodelist.get_nodes_by_type(VariableNode) if type(node) is VariableNode]
        assert not left or "autoescape" in source
    try:
        return re.sub(r" at 0x\w+", "", template.render(Context(_values())))
    except Exception as error:
        return re.sub(r" at 0x\w+", "", repr(error))


@pytest.mark.parametrize("invalid", ["", "INVALID %s"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_page_says_the_same(language: str, invalid: str) -> None:
    """In texts, conditions, loops, parts, and behind filters; escaped and not; with and without a sign of what is not
    there."""
    engine = Engine(string_if_invalid=invalid, libraries={"i18n": "django.templatetags.i18n"})
    shapes = (
        "{{ NAME }}", "{% autoescape off %}{{ NAME }}{% endautoescape %}", "{{ NAME|default:'-' }}",
        "{{ 'x'|add:NAME }}",
        "{% if NAME %}yes{% else %}no{% endif %}", "{% if not NAME or NAME == 'b' %}yes{% endif %}",
        "{% for one in NAME %}{{ one }},{% endfor %}", "{% with it=NAME %}{{ it }}{% endwith %}",
        "{% blocktranslate with it=NAME %}so {{ it }}{% endblocktranslate %}", "{% firstof NAME 'other' %}",
    )  # fmt: skip
    with override(language):
        for name in NAMES:
            for shape in shapes:
                source = shape.replace("NAME", name)
                plain, folded = _written(source, False, engine), _written(source, True, engine)
                assert folded == plain, source


def test_an_error_of_a_page_says_where_it_is() -> None:
    """As Django's own nodes do: the page for developers shows the line."""
    engine = Engine(debug=True)
    template = Template("one\n{{ broken.name }}", engine=engine)
    fold(template)
    assert isinstance(template.nodelist[-1], QuickNode)

    class Broken:
        @property
        def name(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        template.render(Context({"broken": Broken()}))

    assert caught.value.template_debug["line"] == 2  # type: ignore[attr-defined]
