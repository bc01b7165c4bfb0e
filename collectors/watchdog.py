"""Shuts a socket that stopped answering, from outside the library that owns it.

asyncio's timeouts do not bound psycopg: a cancelled query first tries to cancel on the server, which hangs
as well when the server is frozen. Shutting the socket ends every wait on it at once.
"""

import os
import socket


def shut_socket(fileno: int) -> None:
    """Shut both directions of the socket behind `fileno`; the owner sees the end of the stream.

    Works on a duplicate, so the owner's descriptor stays its own. A socket that is gone already is fine.
    """
    try:
        duplicate = socket.socket(fileno=os.dup(fileno))
    except OSError:
        return
    with duplicate:
        try:
            duplicate.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
