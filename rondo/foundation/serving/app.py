"""The WSGI application as the web server's worker processes load it: they end with the server that started them.

What draws charts takes seconds to import and is not needed to answer. It is imported beside the first requests, so that
the first chart that is not drawn yet does not wait for it.
What is there by then lasts as long as the process.
"""

import os
import threading
import time
from importlib import import_module

from rondo.foundation.serving.manners import keep_what_there_is
from rondo.foundation.serving.parents import end_with_parent
from rondo.foundation.serving.shares import own_share
from rondo.foundation.serving.threads import use_threads
from rondo.foundation.serving.turns import Turns
from rondo.wsgi import application as pages

__all__ = ["application"]

_LATER = ("altair", "vl_convert")
_PAUSE_SECONDS = 3.0


def _import_later() -> None:
    time.sleep(_PAUSE_SECONDS)
    for name in _LATER:
        import_module(name)
    keep_what_there_is()


use_threads()
application = Turns(pages, share=own_share())
end_with_parent(os.getppid())
threading.Thread(target=_import_later, name="imports", daemon=True).start()
