"""Free ports that nobody else is given meanwhile, and ports that have to be free."""

import socket

HOST = "127.0.0.1"


class PortTakenError(Exception):
    """One or more ports that are needed are in use; the message names each and what it was for."""


def reserve_port() -> int:
    """Return a free port of the loopback interface that the kernel gives to nobody else for a minute.

    A port that was bound and closed again may be handed to the next caller at once. A connection that was accepted on
    it and closed leaves it in TIME_WAIT: the kernel then skips it, but a server that asks for it by number gets it.
    """
    with socket.create_server((HOST, 0)) as listener, socket.create_connection(listener.getsockname()) as caller:
        accepted, _ = listener.accept()
        accepted.close()  # the side that closes first keeps the port in TIME_WAIT
        caller.recv(1)
        port: int = listener.getsockname()[1]
        return port


def require_free(purposes: dict[int, str]) -> None:
    """Check that every port can be listened on.

    Args:
        purposes: what each port is for, as the error shall say it.

    Raises:
        PortTakenError: names every port that is taken, and what it was for.
    """
    taken = [f"port {port} is taken; it is needed for {purpose}" for port, purpose in purposes.items() if _taken(port)]
    if taken:
        raise PortTakenError("\n".join(taken))


def _taken(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return True
    return False
