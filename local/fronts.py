"""The seam in front of the emulator: ASGI apps in a row, each of which answers a request or passes it on.

A front is called as `front(scope, receive, send, onward)`. To answer, it sends a response; to pass the
request on, it awaits `onward(scope, receive, send)`, and may wrap `receive` and `send` to see or change what
goes through. Fronts see HTTP requests only: start-up, shutdown and WebSockets go straight to the emulator.
An exception in a front becomes a plain 500, which the SDKs retry.
"""

import json
from collections.abc import Callable, Coroutine, MutableMapping, Sequence
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Coroutine[Any, Any, Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]
Front = Callable[[Scope, Receive, Send, App], Coroutine[Any, Any, None]]

HEALTH_PATH = "/_local/health"


def chain(fronts: Sequence[Front], app: App) -> App:
    """`app` behind `fronts`; the first of them sees a request first."""
    for front in reversed(fronts):
        app = _behind(front, app)
    return app


def health(identity: dict[str, str]) -> Front:
    """Answers HEALTH_PATH with `identity`, by which a client tells this server from every other."""

    async def front(scope: Scope, receive: Receive, send: Send, onward: App) -> None:
        if scope["path"] == HEALTH_PATH:
            await answer_json(send, 200, identity)
        else:
            await onward(scope, receive, send)

    return front


async def read_body(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def answer_json(send: Send, status: int, body: object) -> None:
    """One complete JSON response."""
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _behind(front: Front, onward: App) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await front(scope, receive, send, onward)
        else:
            await onward(scope, receive, send)

    return app
