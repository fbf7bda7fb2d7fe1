"""Names in templates, looked up without the detours of Django's own way.

Django tries each part of ``row.customer.name`` as a key first and takes an exception for the answer that it is none; a
name that is not there costs a log entry besides. A page has thousands of names. Here what a name leads to is looked at
first; whatever is not plain goes Django's way, so that pages say the same.
"""

import re
from html import escape
from typing import Any

from django.template.base import (
    FilterExpression,
    Node,
    Variable,
    VariableDoesNotExist,
    VariableNode,
    render_value_in_context,
)
from django.template.defaulttags import IfNode
from django.template.smartif import TokenBase
from django.utils.safestring import SafeString

_SPECIAL = re.compile("[&<>\"']").search
_ABSENT = object()
"""There is nothing of this name."""
_UNSURE = object()
"""Django's way is to be taken."""


def quicken(node: Node) -> None:
    """Let a node look names up by this module; what it writes stays the same."""
    for held in list(vars(node).values()):
        _quicken(held)
    if type(node) in _QUICK:
        node.__class__ = _QUICK[type(node)]


def _quicken(held: Any) -> None:
    if type(held) is FilterExpression:
        _quicken(held.var)
        for _filter, arguments in held.filters:
            _quicken(arguments)
        if not held.filters and isinstance(held.var, QuickVariable):
            held.__class__ = QuickExpression
    elif type(held) is Variable and held.lookups is not None and not held.translate:
        held.__class__ = QuickVariable
    elif isinstance(held, TokenBase):
        for part in (held.first, held.second, getattr(held, "value", None)):
            _quicken(part)
    elif isinstance(held, dict):
        _quicken(list(held.values()))
    elif isinstance(held, list | tuple):
        for one in held:
            _quicken(one)


def _look_up(lookups: Any, context: Any) -> Any:
    """What a name leads to; _ABSENT or _UNSURE where it is not plain."""
    current: Any = context
    for bit in lookups:
        kind = type(current)
        if current is context or kind is dict:
            try:
                current = current[bit]
            except KeyError:
                return _ABSENT if current is context and not hasattr(context, bit) else _UNSURE
        elif current is None:
            return _ABSENT if bit not in _OF_NONE else _UNSURE
        elif kind in _WITH_KEYS or (kind not in _PLAIN and _has_keys(kind)):
            return _UNSURE
        else:
            try:
                current = getattr(current, bit)
            except Exception:  # Django knows which of them are silent
                return _UNSURE
        if callable(current):
            if hasattr(current, "do_not_call_in_templates") or getattr(current, "alters_data", False):
                return _UNSURE
            try:
                current = current()
            except Exception:
                return _UNSURE
    return current


_OF_NONE = frozenset(dir(None))
_PLAIN: set[type] = set()
_WITH_KEYS: set[type] = set()


def _has_keys(kind: type) -> bool:
    """Whether things of a kind have keys; asked once for each."""
    has = hasattr(kind, "__getitem__")
    (_WITH_KEYS if has else _PLAIN).add(kind)
    return has


def _escaped(text: str) -> str:
    return escape(text) if _SPECIAL(text) else text


class QuickVariable(Variable):
    """A name that begins in the context."""

    __slots__ = ()

    def _resolve_lookup(self, context: Any) -> Any:
        found = _look_up(self.lookups, context)
        return super()._resolve_lookup(context) if found is _UNSURE or found is _ABSENT else found  # type: ignore[misc]


class QuickExpression(FilterExpression):
    """A name with no filter behind it."""

    __slots__ = ()

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        """What it leads to; as in Django, None or the engine's text where there is nothing of this name."""
        found = _UNSURE if self.var.translate else _look_up(self.var.lookups, context)  # a tag may want it translated
        if found is _ABSENT:
            if ignore_failures:
                return None
            if not context.template.engine.string_if_invalid:
                return ""
            return super().resolve(context, ignore_failures)
        return super().resolve(context, ignore_failures) if found is _UNSURE else found


class QuickNode(VariableNode):
    """Writes what an expression leads to; texts without asking how numbers and days are written."""

    def render_annotated(self, context: Any) -> Any:
        """The text of the node, as Django writes it."""
        try:
            found = self.filter_expression.resolve(context)
        except Exception:  # Django's way raises it again, and says where in the template
            return super().render_annotated(context)
        if type(found) is SafeString:
            return found
        if type(found) is str and context.autoescape:
            return _escaped(found)
        if type(found) is str:
            return found
        return render_value_in_context(found, context)


class QuickIf(IfNode):
    """Writes the first branch whose condition holds, in one step."""

    def render_annotated(self, context: Any) -> Any:
        """The text of the node, as Django writes it; what fails within a branch says itself where it stands."""
        for condition, nodes in self.conditions_nodelists:
            if condition is not None:
                try:
                    holds = condition.eval(context)
                except VariableDoesNotExist:
                    continue
                if not holds:
                    continue
            return "".join([str(node.render_annotated(context)) for node in nodes])
        return ""


_QUICK: dict[type, type[Node]] = {VariableNode: QuickNode, IfNode: QuickIf}
