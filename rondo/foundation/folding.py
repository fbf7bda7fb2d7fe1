"""Templates with everything written into them that is the same for each request in a language: words, icons, addresses.

A page of the house has hundreds of such places, which take longer to work out than to write. They are worked out when a
template is first used in a language, and kept with the text around them as one piece of text.
"""

from threading import RLock
from typing import Any

from django.template import Context, Template
from django.template.base import FilterExpression, Node, NodeList, TextNode, TokenType
from django.template.defaulttags import AutoEscapeControlNode, CommentNode, LoadNode, URLNode
from django.template.library import SimpleNode
from django.template.loaders.cached import Loader
from django.templatetags.i18n import BlockTranslateNode, LanguageNode, TranslateNode
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix
from django.utils.translation import get_language

from rondo.foundation.quick import quicken

CONSTANT = "is_constant"
"""An attribute of functions of tags that give the same for the same arguments, whoever asks, and in any language."""

_ONE_AT_A_TIME = RLock()


class Folded(Loader):
    """Keeps templates in memory as Django does, one for each language."""

    def cache_key(self, template_name: Any, skip: Any = None) -> str:
        """What a template is kept under: what its constant parts may depend on."""
        return f"{get_language()} {get_script_prefix()} {super().cache_key(template_name, skip)}"

    def get_template(self, template_name: str, skip: Any = None) -> Template:
        """The template, folded for the language in force."""
        found = super().get_template(template_name, skip)
        if CONSTANT not in found.__dict__:
            with _ONE_AT_A_TIME:  # lists of nodes are changed in place: a second thread would lose some for good
                if CONSTANT not in found.__dict__:
                    fold(found)
                    found.__dict__[CONSTANT] = True
        return found


def fold(template: Template) -> None:
    """Put text in the place of what is constant in the language in force."""
    nobody = Context()
    nobody.template = template
    _fold(template.nodelist, nobody)


def _fold(nodes: NodeList, nobody: Context) -> None:
    folded: list[Node] = []
    for node in nodes:
        text = _text_of(node, nobody)
        if text is None:
            for part in _parts(node):
                _fold(part, nobody)
            quicken(node)
            folded.append(node)
        elif folded and isinstance(folded[-1], TextNode):
            folded[-1] = TextNode(folded[-1].s + text)
        else:
            folded.append(TextNode(text))
    nodes[:] = folded


def _parts(node: Node) -> list[NodeList]:
    """The lists of nodes within a node; those of an ``if`` stand beside their conditions. None of those that have a
    language or an escaping of their own."""
    if isinstance(node, LanguageNode | AutoEscapeControlNode):
        return []
    branches = [part for _condition, part in getattr(node, "conditions_nodelists", ())]
    return branches + [part for part in vars(node).values() if isinstance(part, NodeList)]


def _text_of(node: Node, nobody: Context) -> str | None:
    """What a node writes whoever asks; None where that is not the same for all."""
    if isinstance(node, TextNode):
        return node.s
    if isinstance(node, CommentNode | LoadNode):
        return ""
    return str(node.render(nobody)) if _is_constant(node) else None


def _is_constant(node: Node) -> bool:
    if isinstance(node, TranslateNode):
        said = node.message_context is None or _is_literal(node.message_context)
        return node.asvar is None and said and _is_literal(node.filter_expression)
    if isinstance(node, BlockTranslateNode):
        plain = all(token.token_type == TokenType.TEXT for token in node.singular)
        said = node.message_context is None or _is_literal(node.message_context)
        return plain and said and not (node.asvar or node.countervar or node.extra_context)
    if isinstance(node, URLNode):
        given = [node.view_name, *node.args, *node.kwargs.values()]
        return node.asvar is None and all(_is_literal(one) for one in given)
    if isinstance(node, StaticNode):
        return node.varname is None and _is_literal(node.path)
    if isinstance(node, SimpleNode):
        given = [*node.args, *node.kwargs.values()]
        free = node.target_var is None and not node.takes_context
        return free and hasattr(node.func, CONSTANT) and all(_is_literal(one) for one in given)
    return False


def _is_literal(value: Any) -> bool:
    """A text or number as it stands in the template, with no filter behind it."""
    if not isinstance(value, FilterExpression):
        return isinstance(value, str)
    return not value.filters and (not value.is_var or value.var.lookups is None)
