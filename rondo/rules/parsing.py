"""The text form to the tree: a recursive descent that knows the grammar of docs/rules.md and no field.

The tree it returns has raw values; :mod:`rondo.rules.checking` types them. Beside the tree stand the places of its
parts, by the same paths as in the JSON form.
"""

from django.utils.translation import gettext as _

from rondo.rules.lexing import Token, failure, tokens
from rondo.rules.problems import Path, Places, RuleError, nearest
from rondo.rules.tree import (
    MAX_DEPTH,
    UNITS,
    AllOf,
    AnyOf,
    Comparison,
    Count,
    Did,
    Event,
    InSegment,
    Linked,
    Node,
    Not,
    Operator,
    Period,
    Raw,
    Relative,
    Sequence,
    Span,
    Total,
    Value,
)

SIGNS: dict[str, Operator] = {"=": "is", "!=": "is_not", ">=": "at_least", "<=": "at_most", ">": "above", "<": "below"}
ONE_WORD: dict[str, Operator] = {
    "above": "above",
    "below": "below",
    "after": "above",
    "before": "below",
    "since": "at_least",
    "until": "at_most",
    "contains": "contains",
}
OPERATOR_WORDS = (
    "=",
    "!=",
    ">=",
    "<=",
    ">",
    "<",
    "in",
    "not in",
    "is",
    "at least",
    "at most",
    "above",
    "below",
    "between",
    "before",
    "after",
    "since",
    "until",
    "within",
    "anniversary",
    "starts with",
    "contains",
)
_STARTS = {"in", "not", "is", "at", "between", "within", "anniversary", "starts", *ONE_WORD}
UNIT_WORDS: dict[str, str] = {word: unit for unit in UNITS for word in (unit, unit[:-1])}
EVENT_OPERATORS = ("within", "between", "since", "until", "before", "after", "ever")


class Parser:
    """One run over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.spans: dict[Path, tuple[int, int]] = {}
        self.depth = 0

    # Walking

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        """Take the next token if it is one of these words."""
        if self.token.is_word(*words):
            self.at += 1
            return True
        return False

    def sign(self, sign: str) -> bool:
        if self.token.is_sign(sign):
            self.at += 1
            return True
        return False

    def need_word(self, word: str) -> None:
        if not self.word(word):
            raise self.expected(word)

    def need_sign(self, sign: str) -> None:
        if not self.sign(sign):
            raise self.expected(sign)

    def expected(self, *words: str, message: str = "") -> RuleError:
        token = self.token
        if not message:
            message = (
                _("the rule ends here, something is missing.")
                if token.form == "end"
                else _("this is not expected here.")
            )
        suggestion = nearest(token.text, words) if token.form == "word" else ""
        return failure(self.text, token.start, token.end, message, expected=words, suggestion=suggestion)

    def mark(self, path: Path, first: int) -> None:
        """Note that the part at ``path`` reaches from token ``first`` to the one taken last."""
        self.spans[path] = (self.tokens[first].start, self.tokens[max(self.at - 1, first)].end)

    # Logic

    def rule(self) -> Node:
        node = self.any_of(())
        if self.token.form != "end":
            raise self.expected("and", "or")
        return node

    def any_of(self, path: Path) -> Node:
        return self._junction(path, "or")

    def _junction(self, path: Path, joint: str) -> Node:
        first = self.at
        below = self._unary if joint == "and" else self._all_of
        key = "all" if joint == "and" else "any"
        part = below(path)
        if not self.token.is_word(joint):
            return part
        self._move(path, (*path, key, 0))  # it was read as if it stood alone
        parts = [part]
        while self.word(joint):
            parts.append(below((*path, key, len(parts))))
        self.mark(path, first)
        return AllOf(tuple(parts)) if joint == "and" else AnyOf(tuple(parts))

    def _move(self, source: Path, target: Path) -> None:
        """Give the places noted at ``source`` and below it to ``target``."""
        moved = {}
        for path, span in self.spans.items():
            below = path[: len(source)] == source
            moved[(*target, *path[len(source) :]) if below else path] = span
        self.spans = moved

    def _all_of(self, path: Path) -> Node:
        return self._junction(path, "and")

    def _unary(self, path: Path) -> Node:
        first = self.at
        self.depth += 1
        if self.depth > 4 * MAX_DEPTH:
            raise self.expected(message=_("the rule is nested too deeply; make a segment of its inner part."))
        node = self._unary_at(path)
        self.depth -= 1
        self.mark(path, first)
        return node

    def _unary_at(self, path: Path) -> Node:
        if self.word("not"):
            return Not(self._unary((*path, "not")))
        if self.sign("("):
            node = self.any_of(path)
            self.need_sign(")")
            return node
        if self.word("everybody"):
            return AllOf(())
        if self.word("nobody"):
            return AnyOf(())
        if self.word("did"):
            if self.word("not"):
                return Not(self._did((*path, "not")))
            return self._did(path)
        if self.word("linked"):
            return self._linked(path)
        if self.token.is_word("in") and self.tokens[self.at + 1].is_word("segment"):
            self.at += 2
            return InSegment(self._key((*path, "segment"), _("the key of the segment is missing.")))
        return self._comparison(path)

    def _key(self, path: Path, missing: str) -> str:
        if self.token.form not in ("word", "quoted", "string"):
            raise self.expected(message=missing)
        token = self.take()
        self.spans[path] = (token.start, token.end)
        return token.text

    def _linked(self, path: Path) -> Linked:
        by = self.word("by")
        role = self._key((*path, "linked"), _("the kind of link is missing."))
        inner = None
        if self.sign("("):
            inner = self.any_of((*path, "rule"))
            self.need_sign(")")
        return Linked(role, "by" if by else "to", inner)

    # Comparisons

    def _comparison(self, path: Path, name: str = "field") -> Comparison:
        first = self.at
        if self.token.form not in ("word", "quoted"):
            raise self.expected(
                message=_("a condition is missing here: a field, did, linked, in segment, not or a bracket.")
            )
        key = self.take()
        self.spans[*path, name] = (key.start, key.end)
        operator, values = self._operator(path)
        self.mark(path, first)
        return Comparison(key.text, operator, values)

    def _operator(self, path: Path) -> tuple[Operator, tuple[Value, ...]]:
        token = self.token
        at = token.start, token.end
        values: tuple[Value, ...]
        if token.form == "sign" and token.text in SIGNS:
            self.take()
            operator, values = SIGNS[token.text], (self._value((*path, "values", 0)),)
        elif not token.is_word(*_STARTS):
            raise self.expected(*OPERATOR_WORDS, message=_("behind a field comes how it is compared."))
        else:
            operator, values = self._worded(path)
        self.spans[*path, "op"] = at
        return operator, values

    def _worded(self, path: Path) -> tuple[Operator, tuple[Value, ...]]:
        word = self.take().text.lower()
        if word in ONE_WORD:
            return ONE_WORD[word], (self._value((*path, "values", 0)),)
        if word == "in":
            return "is", self._list(path)
        if word == "not":
            self.need_word("in")
            return "is_not", self._list(path)
        if word == "is":
            if self.word("known"):
                return "known", ()
            if self.word("unknown"):
                return "unknown", ()
            negated = self.word("not")
            if self.word("in"):
                return ("is_not" if negated else "is"), self._list(path)
            return ("is_not" if negated else "is"), (self._value((*path, "values", 0)),)
        if word == "at":
            return self._at_least_or_most(), (self._value((*path, "values", 0)),)
        if word == "between":
            low = self._value((*path, "values", 0))
            self.need_word("and")
            return "between", (low, self._value((*path, "values", 1)))
        if word == "starts":
            self.need_word("with")
            return "starts_with", (self._value((*path, "values", 0)),)
        if word == "anniversary":
            self.need_word("within")
            ahead = self._ahead()
            return ("anniversary_next" if ahead else "anniversary_last"), (self._span((*path, "values", 0)),)
        ahead = self._ahead()
        return ("within_next" if ahead else "within_last"), (self._span((*path, "values", 0)),)

    def _at_least_or_most(self) -> Operator:
        if self.word("least"):
            return "at_least"
        if self.word("most"):
            return "at_most"
        raise self.expected("least", "most")

    def _ahead(self) -> bool:
        if self.word("next"):
            return True
        self.word("last")
        return False

    def _list(self, path: Path) -> tuple[Value, ...]:
        self.need_sign("(")
        values = [self._value((*path, "values", 0))]
        while self.sign(","):
            values.append(self._value((*path, "values", len(values))))
        if not self.sign(")"):
            raise self.expected(",", ")")
        return tuple(values)

    def _value(self, path: Path) -> Value:
        first = self.at
        token = self.token
        if token.form not in ("word", "quoted", "string", "number", "date"):
            raise self.expected(message=_("a value is missing here."))
        self.take()
        value: Value
        if token.is_word("today"):
            value = Relative(0)
        elif token.form == "number" and self.token.is_word(*UNIT_WORDS) and self._relative_follows():
            value = self._relative(token)
        else:
            value = Raw(token.text, "word" if token.form == "quoted" else token.form)
        self.mark(path, first)
        return value

    def _relative_follows(self) -> bool:
        follower = self.tokens[self.at + 1]
        return follower.is_word("ago", "from")

    def _relative(self, token: Token) -> Relative:
        number = self._whole(token)
        unit = UNIT_WORDS[self.take().text.lower()]
        if self.word("ago"):
            return Relative(number, unit)  # type: ignore[arg-type]  # one of UNITS
        self.need_word("from")
        self.need_word("today")
        return Relative(-number, unit)  # type: ignore[arg-type]

    def _whole(self, token: Token) -> int:
        if token.form != "number" or not token.text.isdigit() or len(token.text) > 9:
            raise failure(self.text, token.start, token.end, _("a whole number is needed here."))
        return int(token.text)

    def _span(self, path: Path) -> Span:
        first = self.at
        number = self._whole(self.take() if self.token.form != "end" else self.token)
        if not self.token.is_word(*UNIT_WORDS):
            raise self.expected(*UNITS)
        unit = UNIT_WORDS[self.take().text.lower()]
        self.mark(path, first)
        return Span(number, unit)  # type: ignore[arg-type]  # one of UNITS

    # Events

    def _did(self, path: Path) -> Node:
        first = self.at
        # Whether a sequence follows is known only behind the first event and its period.
        event = self._event((*path, "did"))
        count = self._count(path)
        total = self._total(path)
        period = self._period((*path, "period"))
        if not self.token.is_word("then"):
            self.mark(path, first)
            return Did(event, count or Count("at_least", 1), total, period)
        if count is not None or total is not None:
            message = _("how often and how much cannot be asked of a step of a sequence; join two conditions with and.")
            raise self.expected(message=message)
        self._move((*path, "did"), (*path, "sequence", 0))
        return self._sequence(path, first, event, period)

    def _sequence(self, path: Path, first: int, event: Event, period: Period | None) -> Sequence:
        steps = [event]
        excluded = None
        while self.word("then"):
            if self.word("not"):
                excluded = self._event((*path, "then_not"))
                break
            steps.append(self._event((*path, "sequence", len(steps))))
        within = None
        if self.word("within"):
            within = self._span((*path, "within"))
        if self.token.is_word("then"):
            message = _("“then not” ends a sequence, and its window stands at the very end.")
            raise self.expected(message=message)
        self.mark(path, first)
        return Sequence(tuple(steps), excluded, within, period)

    def _event(self, path: Path) -> Event:
        first = self.at
        kind = self._key((*path, "kind"), _("a kind of event is missing here."))
        where: list[Comparison] = []
        if self.word("where"):
            if self.sign("("):
                where.append(self._comparison((*path, "where", 0), "detail"))
                while self.word("and"):
                    where.append(self._comparison((*path, "where", len(where)), "detail"))
                if not self.sign(")"):
                    raise self.expected("and", ")")
            else:
                where.append(self._comparison((*path, "where", 0), "detail"))
        self.mark(path, first)
        return Event(kind, tuple(where))

    def _count(self, path: Path) -> Count | None:
        first = self.at
        if self.word("exactly"):
            number = self._whole(self.take())
            operator = "exactly"
        elif self.token.is_word("at"):
            self.take()
            operator = self._at_least_or_most()
            number = self._whole(self.take())
        else:
            return None
        if not self.word("times", "time"):
            raise self.expected("times")
        self.mark((*path, "count"), first)
        return Count(operator, number)  # type: ignore[arg-type]  # one of the three

    def _total(self, path: Path) -> Total | None:
        first = self.at
        if not self.word("for"):
            return None
        self.need_word("at")
        operator = self._at_least_or_most()
        amount = self._value((*path, "total", "amount"))
        self.mark((*path, "total"), first)
        return Total(operator, amount)  # type: ignore[arg-type]  # at_least or at_most

    def _period(self, path: Path) -> Period | None:
        if self.word("ever"):
            return None
        if not self.token.is_word("within", "between", "since", "until", "before", "after"):
            return None
        first = self.at
        if self.tokens[self.at].is_word("within") and self.tokens[self.at + 1].is_word("next"):
            self.at += 1
            raise self.expected(message=_("what will happen is not known; ask for the last days."))
        operator, values = self._operator(path)
        self.mark(path, first)
        return Period(operator, values)


def parse_text(text: str) -> tuple[Node, Places]:
    """The tree of a text with raw values, and the places of its parts.

    Raises:
        RuleError: the text does not follow the grammar; one problem, at the first place where it does not.
    """
    parser = Parser(text)
    node = parser.rule()
    return node, Places(text, parser.spans)
