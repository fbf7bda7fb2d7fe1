"""Templates with their constant parts written out: the same words as before, in each language its own."""

from threading import Barrier, Thread

import pytest
from django.template import Context, Engine, Template
from django.template.base import Node, TextNode
from django.template.defaulttags import URLNode
from django.template.loader import get_template
from django.templatetags.i18n import TranslateNode
from django.urls import reverse
from django.utils.translation import override

from rondo.foundation.folding import fold

SOURCE = (
    '{% load i18n static %}<a href="{% url "home" %}" title="{% translate "Customers" %}">{% icon "users" 18 %}</a>'
    "{% if shown %}{% translate 'Customers' %}{{ name }}{% elif other %}{% blocktranslate %}100%{% endblocktranslate %}"
    "{% else %}{% url 'set-theme' as there %}{{ there }}{% endif %}"
    "{% for one in many %}{% comment %}left out{% endcomment %}{% icon one %}{% translate one %}{% endfor %}"
    "{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}"
)
VALUES = {"shown": True, "name": "<Ann>", "many": ["x", "plus"]}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("values", [VALUES, {"other": True}, {"many": ["users"]}])
def test_a_folded_template_writes_what_it_wrote(language: str, values: dict[str, object]) -> None:
    engine = Engine(builtins=["rondo.web.templatetags.rondo"], libraries=Engine.get_default().libraries)
    with override(language):
        plain, folded = Template(SOURCE, engine=engine), Template(SOURCE, engine=engine)
        fold(folded)

        assert folded.render(Context(values)) == plain.render(Context(values))

    first, *_others = folded.nodelist
    assert isinstance(first, TextNode)
    assert first.s.startswith(f'<a href="{reverse("home")}"') and "<svg" in first.s
    assert [node for node in folded.nodelist.get_nodes_by_type(URLNode) if node.asvar is None] == []  # type: ignore[attr-defined]


def test_each_language_has_its_own_words() -> None:
    found: dict[str, str] = {}
    for language in ("en", "de", "en"):
        with override(language):
            template = get_template("customers/customers.html").template  # type: ignore[attr-defined]
            words = "".join(node.s for node in template.nodelist.get_nodes_by_type(TextNode))
            assert found.setdefault(language, words) == words
            left = template.nodelist.get_nodes_by_type(TranslateNode)
            assert [node for node in left if not node.filter_expression.is_var and node.asvar is None] == []
    assert found["en"] != found["de"]


def test_threads_that_come_first_together_lose_nothing() -> None:
    """Four requests right after a start: each page is whole for all that follow."""

    def count() -> int:
        return len(get_template("base.html").template.nodelist.get_nodes_by_type(Node))  # type: ignore[attr-defined]

    with override("de"):
        loader = get_template("base.html").template.engine.template_loaders[0]  # type: ignore[attr-defined]
    whole, found = 0, set()

    def ask(together: Barrier) -> None:
        with override("de"):
            together.wait()
            found.add(count())

    for rounds in range(60):
        loader.reset()
        if not rounds:
            with override("de"):
                whole = count()
            continue
        together = Barrier(4)
        threads = [Thread(target=ask, args=(together,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with override("de"):
            found.add(count())
    assert found == {whole}


def test_what_has_a_language_of_its_own_keeps_it() -> None:
    source = '{% load i18n %}{% language "de" %}{% translate "Customers" %}{% endlanguage %}'
    with override("en"):
        template = Template(source)
        fold(template)
        assert template.render(Context()) == "Kunden"
