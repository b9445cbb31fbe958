"""Completes the emulator's description of CloudWatch alarms, so that Terraform finds its alarms as it made them.

MiniStack keeps alarms whole, but leaves most of their properties out of its XML answer to DescribeAlarms, which is the
protocol of Terraform's provider: each deployment would then correct alarms that need no correction. This remembers
what PutMetricAlarm asked for, by name, and adds what is missing to the answer. It invents nothing: other answers, and
alarms made in another protocol, pass unchanged.
"""

import re
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from local.fronts import App, Front, Message, Receive, Scope, Send, read_body

FORM = b"application/x-www-form-urlencoded"
NOT_DESCRIBED = {"Action", "Version", "Tags"}
ALARM = re.compile(r"<AlarmName>([^<]*)</AlarmName>.*?(?=</member>)", re.DOTALL)


def alarms() -> Front:
    """The front. No front before it may answer CloudWatch requests."""
    asked_for: dict[str, dict[str, Any]] = {}

    async def front(scope: Scope, receive: Receive, send: Send, onward: App) -> None:
        if not dict(scope["headers"]).get(b"content-type", b"").startswith(FORM):
            return await onward(scope, receive, send)
        body = await read_body(receive)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if form.get("Action") == "PutMetricAlarm":
            asked_for[form.get("AlarmName", "")] = _tree(form)
        if form.get("Action") == "DescribeAlarms":
            send = _completing(send, asked_for)
        await onward(scope, _replay(body, receive), send)

    return front


def _tree(form: dict[str, str]) -> dict[str, Any]:
    """`Dimensions.member.1.Name=TableName` and so on, as nested dictionaries."""
    tree: dict[str, Any] = {}
    for name, value in form.items():
        *path, last = name.split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return {name: value for name, value in tree.items() if name not in NOT_DESCRIBED}


def _xml(name: str, value: Any) -> str:
    if name == "member":
        return "".join(f"<member>{_content(item)}</member>" for item in value.values())
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: Any) -> str:
    return "".join(_xml(*child) for child in value.items()) if isinstance(value, dict) else escape(value)


def _complete(described: str, asked_for: dict[str, dict[str, Any]]) -> str:
    def completed(alarm: re.Match[str]) -> str:
        properties = asked_for.get(alarm[1], {})
        return alarm[0] + "".join(_xml(*each) for each in properties.items() if f"<{each[0]}>" not in alarm[0])

    return ALARM.sub(completed, described)


def _completing(send: Send, asked_for: dict[str, dict[str, Any]]) -> Send:
    """Holds the answer back until it is whole, completes it, and sends it."""
    start: Message = {}
    parts: list[bytes] = []

    async def held(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = _complete(b"".join(parts).decode(), asked_for).encode()
        others = [header for header in start["headers"] if header[0].lower() != b"content-length"]
        await send({**start, "headers": [*others, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return held


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives first the body that was already read, and then what follows it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
