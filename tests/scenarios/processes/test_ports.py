import socket

import pytest

from scenarios.processes.ports import HOST, PortTakenError, require_free, reserve_port


def test_a_reserved_port_is_given_to_nobody_else_but_can_be_listened_on() -> None:
    reserved = {reserve_port() for _ in range(200)}
    assert len(reserved) == 200
    for port in reserved:
        socket.create_server((HOST, port)).close()


def test_every_taken_port_is_named_with_what_it_was_for() -> None:
    free = reserve_port()
    with socket.create_server((HOST, 0)) as first, socket.create_server(("0.0.0.0", 0)) as second:
        ports = first.getsockname()[1], second.getsockname()[1]
        with pytest.raises(PortTakenError) as error:
            require_free({ports[0]: "the gateway", free: "SAM3", ports[1]: "Temporal"})
    assert str(error.value).splitlines() == [
        f"port {ports[0]} is taken; it is needed for the gateway",
        f"port {ports[1]} is taken; it is needed for Temporal",
    ]
    require_free({ports[0]: "the gateway"})
