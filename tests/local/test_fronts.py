import asyncio
from typing import Any

from local.fronts import App, Front, Receive, Scope, Send, answer_json, chain, health


def test_a_front_answers_or_passes_the_request_on() -> None:
    app = chain([health({"instance": "i"})], _answering("the emulator"))
    assert _get(app, "/_local/health") == b'{"instance": "i"}'
    assert _get(app, "/") == b'"the emulator"'


def test_the_first_front_sees_a_request_first_and_the_emulator_last() -> None:
    seen: list[str] = []
    _get(chain([_noting("first", seen), _noting("second", seen)], _noting_app(seen)), "/")
    assert seen == ["first", "second", "the emulator"]


def test_start_up_and_shutdown_go_straight_to_the_emulator() -> None:
    seen: list[str] = []
    app = chain([_noting("front", seen)], _noting_app(seen))
    asyncio.run(app({"type": "lifespan"}, _nothing, _drop))
    assert seen == ["the emulator"]


def _get(app: App, path: str) -> bytes:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "path": path}, _nothing, send))
    return b"".join(message.get("body", b"") for message in sent)


def _answering(body: object) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer_json(send, 200, body)

    return app


def _noting(name: str, seen: list[str]) -> Front:
    async def front(scope: Scope, receive: Receive, send: Send, onward: App) -> None:
        seen.append(name)
        await onward(scope, receive, send)

    return front


def _noting_app(seen: list[str]) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append("the emulator")

    return app


async def _nothing() -> Any:
    return {}


async def _drop(message: Any) -> None:
    pass
