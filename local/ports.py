"""The port of the local AWS: taking it, asking who answers on it, and saying why it cannot be had."""

import http.client
import json
import socket
from contextlib import closing, suppress

import psutil

from local.errors import LocalAwsError
from local.fronts import HEALTH_PATH

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A socket that listens on `port` (0: any free one) of this machine only."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a stopped server's connections linger
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise LocalAwsError(_why_not(port, error)) from error
    return listening


def ask(port: int, timeout: float) -> dict[str, str] | None:
    """What the local AWS on `port` says of itself; None where none answers.

    Not through urllib, which would use the caller's proxy settings.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    with closing(connection), suppress(OSError, http.client.HTTPException, ValueError):
        connection.request("GET", HEALTH_PATH)
        answer = json.loads(connection.getresponse().read())
        if isinstance(answer, dict) and {"instance", "checkout", "pid"} <= answer.keys():
            return answer
    return None


def _why_not(port: int, error: OSError) -> str:
    remedy = f"or choose another port with LOCAL_AWS_PORT={port + 1 if port < 65535 else port - 1}."
    if other := ask(port, timeout=2.0):
        return (
            f"Port {port} serves the local AWS of the checkout {other['checkout']} (pid {other['pid']}): "
            f"stop it with `make down` there, {remedy}"
        )
    if holder := _listener(port):
        return f"Port {port} is taken by {holder}: stop it, {remedy}"
    return f"Port {port} cannot be used ({error.strerror}): free it, {remedy}"


def _listener(port: int) -> str | None:
    """Who listens on a TCP port, such as "postgres (pid 812)", where the system lets us see it."""
    for process in psutil.process_iter(["name"]):
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.Error, OSError):
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port for c in connections):
            return f"{process.info['name']} (pid {process.pid})"
    return None
