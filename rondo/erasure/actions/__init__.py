"""The verbs of erasure: ask for one, carry it out, holds, the ledger, what is kept of the erased."""

from rondo.erasure.actions.asking import erase, request_erasure
from rondo.erasure.actions.doing import carry_out
from rondo.erasure.actions.holding import end_hold, put_hold
from rondo.erasure.actions.keeping import set_years

__all__ = ["carry_out", "end_hold", "erase", "put_hold", "request_erasure", "set_years"]
