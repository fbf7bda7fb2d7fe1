"""The WSGI application as the web server's worker processes load it: they end with the server that started them."""

import os

from rondo.foundation.serving.parents import end_with_parent
from rondo.wsgi import application

__all__ = ["application"]

end_with_parent(os.getppid())
