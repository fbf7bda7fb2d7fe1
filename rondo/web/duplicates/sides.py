"""A pair side by side: per field what the one and the other have, how far they agree, and what that weighs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.customers.models import Address, Customer, Identifier, Survivor
from rondo.customers.picking import Which, read_sides
from rondo.customers.queries import addresses_of, identifiers_of
from rondo.duplicates.models import Pair
from rondo.duplicates.texts import COMPARISONS, LEVELS, level_words
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.merging.choices import Choice, choices, unseen

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Segments = list[tuple[str, bool]]
"""A value in pieces; true marks what the other side has not."""

Agreement = Mapping[str, Sequence[Any]]
"""By comparison its level and its bits."""

_ADDRESS = ("street", "house", "place")
_NUMBERS = (Identifier.Kind.CARD, Identifier.Kind.EXTERNAL)


@dataclass(frozen=True)
class Line:
    """One field of both. ``bits`` is None where nothing could be compared; ``tone`` is good, warn, risk or empty.
    ``choice``: both have a value and a person chooses which one shows."""

    label: "_StrOrPromise"
    left: list[Segments]
    right: list[Segments]
    words: str
    bits: str
    tone: str
    field: str = ""
    choice: Choice | None = None


@dataclass(frozen=True)
class Sides:
    """A pair, ready to be shown; ``stays`` is the side that survives unless somebody chooses."""

    pair: Pair
    lines: list[Line]
    stays: str
    likely: str
    prior: str
    together: str
    weight: str

    @property
    def named(self) -> str:
        """The id of its heading."""
        return f"pair-{self.pair.pk}"


@dataclass
class _Known:
    """What is known of a customer from all its records."""

    row: Customer
    addresses: list[Address]
    identifiers: list[Identifier]

    def held(self, *kinds: str) -> list[str]:
        return [row.shown for row in self.identifiers if row.kind in kinds]

    @property
    def address(self) -> Address | None:
        return next((row for row in self.addresses if row.street or row.city or row.postal_code), None)


def bits(value: float) -> str:
    """A weight as it is written: +9.2 bits."""
    return _("%(weight)s bits") % {"weight": formats.signed(value, lambda number: formats.number(number, 1))}


def likely(probability: float) -> str:
    """A probability as it is written: what rounds to certainty is told as more than 99.9 %."""
    if probability > 0.999:
        return _("more than %(share)s") % {"share": formats.share(0.999, 1)}
    return formats.share(probability, 1)


def threshold(probability: float) -> str:
    """A threshold as it is written, with as many digits as it has."""
    return formats.share(
        probability, next(d for d in range(5) if d == 4 or abs(round(probability, d + 2) - probability) < 1e-9)
    )


def side_by_side(viewer: User, pairs: Sequence[Pair]) -> list[Sides]:
    """Pairs with all that is compared and what else tells their customers apart; a query per kind of row, not per
    pair."""
    from rondo.duplicates.actions.automatic import longer_known

    customers = {row.pk: row for pair in pairs for row in (pair.left, pair.right)}
    known, sides = _known(viewer, customers), read_sides(customers.values(), entered=True)
    hidden = unseen(viewer)
    return [
        Sides(
            pair,
            _with_choices(
                _lines(pair.agreement, known[pair.left_id], known[pair.right_id]),
                choices(sides[pair.left_id], sides[pair.right_id], stays, hidden),
            ),
            stays,
            likely(pair.probability),
            bits(pair.prior),
            bits(pair.together) if pair.together < -0.05 else "",
            bits(pair.weight),
        )
        for pair, stays in ((pair, longer_known(pair.left, pair.right)) for pair in pairs)
    ]


def lines_of(viewer: User, left: Customer, right: Customer, stays: Which) -> list[Line]:
    """Two customers side by side whom nobody compared, with what a person chooses from."""
    known, sides = _known(viewer, {row.pk: row for row in (left, right)}), read_sides([left, right], entered=True)
    chosen = choices(sides[left.pk], sides[right.pk], stays, unseen(viewer))
    return _with_choices(_lines({}, known[left.pk], known[right.pk]), chosen)


_STANDS_WITH = {"address": ("street", "city", "region")}


def _with_choices(lines: list[Line], chosen: Sequence[Choice]) -> list[Line]:
    """The lines, each with its choice; what has no line yet gets one."""
    found = list(lines)
    for one in chosen:
        keys = _STANDS_WITH.get(one.field, (one.field,))
        place = next((n for n, line in enumerate(found) if line.field in keys and line.left != line.right), None)
        if place is not None and found[place].left and found[place].right:
            found[place] = replace(found[place], choice=one)
        else:
            marked = _marked(one.left, one.right)
            found.append(Line(one.label, marked[0], marked[1], "", "", "", one.field, one))
    return found


def _known(viewer: User, customers: dict[int, Customer]) -> dict[int, _Known]:
    stands = {key: key for key in customers}
    stands |= dict(Survivor.objects.filter(survivor_id__in=customers).values_list("customer_id", "survivor_id"))
    found = {key: _Known(row, [], []) for key, row in customers.items()}
    for identifier in identifiers_of(viewer, list(stands)):
        found[stands[identifier.customer_id]].identifiers.append(identifier)
    for address in addresses_of(list(stands)):
        found[stands[address.customer_id]].addresses.append(address)
    return found


def _lines(agreement: Agreement, left: _Known, right: _Known) -> list[Line]:
    lines: list[Line] = []

    def add(field: str, label: "_StrOrPromise", keys: Sequence[str], one: Sequence[str], other: Sequence[str]) -> None:
        lines.append(replace(_line(agreement, label, keys, one, other), field=field))

    person = left.row.kind == Customer.Kind.PERSON and any(
        (one.row.given_name or one.row.family_name) for one in (left, right)
    )
    if person:
        add("given_name", COMPARISONS["given"], ("given",), [left.row.given_name], [right.row.given_name])
        add("family_name", COMPARISONS["family"], ("family",), [_family(left)], [_family(right)])
    else:
        add("name", _("Name"), ("given", "family"), [left.row.name], [right.row.name])
    days = [[formats.day(one.row.birth_date)] if one.row.birth_date else [] for one in (left, right)]
    add("birth_date", COMPARISONS["birth"], ("birth",), *days)
    one, other = left.address, right.address
    add("street", COMPARISONS["street"], _ADDRESS, [_of(one, "street")], [_of(other, "street")])
    towns = [[" ".join(filter(None, (_of(a, "postal_code"), _of(a, "city"))))] for a in (one, other)]
    add("city", COMPARISONS["city"], ("city",), *towns)
    add("region", COMPARISONS["region"], ("region",), [_of(one, "region")], [_of(other, "region")])
    for key, kind in (("mail", Identifier.Kind.EMAIL), ("phone", Identifier.Kind.PHONE)):
        add("", COMPARISONS[key], (key,), left.held(kind), right.held(kind))
    add("", _("Other numbers"), (), left.held(*_NUMBERS), right.held(*_NUMBERS))
    since = [[formats.day(k.row.known_since)] if k.row.known_since else [] for k in (left, right)]
    add("", _("Known since"), (), *since)
    return [line for line in lines if line.left or line.right]


def _family(known: _Known) -> str:
    """The family name; a name without parts stands here whole."""
    return known.row.family_name or ("" if known.row.given_name else known.row.name)


def _of(address: Address | None, field: str) -> str:
    return "" if address is None else str(getattr(address, field))


def _line(
    agreement: Agreement, label: "_StrOrPromise", keys: Sequence[str], left: Sequence[str], right: Sequence[str]
) -> Line:
    one, other = [text for text in left if text], [text for text in right if text]
    said: list[str] = []
    tones: list[str] = []
    weight = 0.0
    for key in keys:
        level, value = agreement.get(key, (-1, 0.0))
        if level < 0:
            continue
        weight += value
        words = str(level_words(key, level))
        said.append(words if len(keys) == 1 else f"{COMPARISONS[key]}: {words}")
        tones.append("good" if level == 0 else "risk" if level == len(LEVELS[key]) - 1 else "warn")
    tone = tones[0] if len(set(tones)) == 1 else "warn" if tones else ""
    if len(one) == 1 and len(other) == 1 and one != other:
        marked = _marked(one[0], other[0])
    else:
        marked = [[[(text, False)] for text in one], [[(text, False)] for text in other]]
    return Line(label, marked[0], marked[1], ", ".join(said), bits(weight) if tones else "", tone)


def _marked(one: str, other: str) -> list[list[Segments]]:
    """Both texts in pieces, those that the other has not marked; texts with little in common are marked as a whole."""
    matcher = SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False)
    if matcher.ratio() < 0.5:
        return [[[(one, True)]], [[(other, True)]]]
    left: Segments = []
    right: Segments = []
    for how, a, b, c, d in matcher.get_opcodes():
        if b > a:
            left.append((one[a:b], how != "equal"))
        if d > c:
            right.append((other[c:d], how != "equal"))
    return [[left], [right]]
