"""What bodies say in one word that has to be one: the name of a source, the code of a currency. What is none is refused
with its place, the value, and what would be right."""

from typing import Annotated

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from rondo.api.v1.schemas import Money
from rondo.errors import InputError
from rondo.foundation.installation import installation
from rondo.foundation.money import check_currency, check_known


def _refused(told: str) -> PydanticCustomError:
    return PydanticCustomError("said", "{told}", {"told": told})


def _source(text: str) -> str:
    """The name without blanks around it; an empty one where that is allowed says that there is none."""
    if text and not text.strip():
        raise _refused(
            _("source = “%(value)s”: blanks name no source; write its name, such as shop, or leave the field out.")
            % {"value": text}
        )
    return text.strip()


def _currency(code: str) -> str:
    try:
        return code and check_currency(code, installation().currency)
    except InputError as error:
        raise _refused(str(error)) from error


def _known(code: str) -> str:
    try:
        return check_known(code)
    except InputError as error:
        raise _refused(str(error)) from error


Source = Annotated[str, AfterValidator(_source)]
"""The name of the system that something comes from."""
Currency = Annotated[str, AfterValidator(_currency)]
"""The code of the company's currency: amounts of another one could not be added to what is there."""
KnownCurrency = Annotated[str, AfterValidator(_known)]
"""The code of a currency."""


class Amount(Money):
    __doc__ = gettext_noop("An amount in minor units (cents) of a currency.")

    currency: Currency = Field(..., description=gettext_noop("ISO 4217"), examples=["USD"])
