"""Days as numbers, and purchase days as the science floor takes them."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.science.summary import PurchaseDays, merge_days

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as the science floor counts them."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=int(number))


@dataclass(frozen=True)
class Log:
    """Purchase days with customers as codes; ``customers[code]`` is the customer's id."""

    customers: npt.NDArray[np.int64]
    days: PurchaseDays


def purchase_log(found: pa.Table) -> Log:
    """Purchase days (columns ``customer_id``, ``day``, ``spend``, any order) as the science floor takes them; quickest
    where they come by customer and day."""
    ids = found["customer_id"].to_numpy()
    if ids.size and np.all(ids[1:] >= ids[:-1]):
        begins = np.concatenate(([True], ids[1:] != ids[:-1]))
        customers, codes = ids[begins], np.cumsum(begins) - 1
    else:
        customers, codes = np.unique(ids, return_inverse=True)
    days = merge_days(codes, found["day"].to_numpy(), found["spend"].to_numpy(), customers.size)
    return Log(customers.astype(np.int64), days)
