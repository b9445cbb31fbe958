"""The page of the accounts sample, in a real browser: it shows what goes on, and nothing else gets at its server."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from examples.accounts.projections import PROJECTIONS
from lambdas.eventstore import wire
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import Runner
from testkit.aws_calls import watched
from testkit.faults import Crash
from testkit.projections import read_model
from tests.page.browser import Browser, browser
from tests.projections.test_accounts import System
from tools.page import PAGE, Backend, serve

LOOKS = {"light": {}, "dark": {"dark": True}, "phone": {"width": 390, "height": 844}}


class Deployed:
    """Stands for the deployed sample: its Lambdas in this process, projectors in threads of their own."""

    def __init__(self, system: System) -> None:
        self.system, self.killed, self._ended = system, 0, False
        self._to_die: set[str] = set()
        self._threads = [threading.Thread(target=self._project, args=(name,)) for name in PROJECTIONS]
        for thread in self._threads:
            thread.start()

    @property
    def backend(self) -> Backend:
        return {
            "store": lambda request: {"title": "memory (in this test)"},
            "command": self.system.bank.commands.answer,
            "query": self.system.queries.answer,
            "events": lambda request: wire.answer(self.system.store, "get_all_events", request),
            "kill": self._kill,
        }

    def end(self) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join()

    def _kill(self, request: dict[str, Any]) -> dict[str, Any]:
        before = self.killed
        self._to_die.add(request["projection"])
        deadline = time.monotonic() + 10
        while self.killed == before and time.monotonic() < deadline:
            time.sleep(0.02)
        return {"killed": self.killed > before}

    def _project(self, name: str) -> None:
        def deliver(events: Any) -> None:
            if name in self._to_die:
                self._to_die.discard(name)
                self.killed += 1
                raise Crash

        while not self._ended:
            runner = Runner(self.system.store, self.system.models[name], PROJECTIONS[name](), deliver=deliver)
            try:
                runner.run()
            except Crash:
                continue
            time.sleep(0.1)


@pytest.fixture
def deployed(emulated: None) -> Iterator[Deployed]:
    with watched(), ExitStack() as stack:
        models = {name: stack.enter_context(read_model()) for name in PROJECTIONS}
        deployed = Deployed(System(MemoryEventStore(), models))
        stack.callback(deployed.end)
        yield deployed


@pytest.fixture
def url(deployed: Deployed) -> Iterator[str]:
    server = serve(deployed.backend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path) as tab:
        yield tab


def test_commands_go_in_events_come_out_and_read_models_follow_though_a_projector_is_killed(
    deployed: Deployed, url: str, tab: Browser
) -> None:
    tab.look()
    tab.open(url)
    tab.until("document.querySelector('#store').textContent === 'memory (in this test)'")
    tab.click("#open")
    tab.until("document.querySelector('#count').textContent === '4'")
    tab.until("document.querySelector('#in-model').textContent === '200.00'")
    tab.click("#overdraw")
    tab.until("document.querySelector('#commands .refused')?.textContent.startsWith('WithdrawMoney: Overdraft')")
    tab.click("#many")
    tab.until("document.querySelector('#count').textContent === '44'")
    tab.until("document.querySelectorAll('#lags .lag').length === 3")

    tab.click("#lag-balances button")
    tab.until("document.querySelector('#told').textContent.includes('was killed between')")

    assert deployed.killed == 1
    tab.until("document.querySelector('#count').textContent === '50'")
    tab.until("document.querySelector('#in-model').className === 'agree'")
    assert tab.run("document.querySelector('#in-log').textContent") == "200.00"
    balances = [it["balance"] for it in deployed.system.query("accounts")["accounts"]]
    assert sum(balances) == 20_000
    for name, look in LOOKS.items():
        tab.look(**look)  # type: ignore[arg-type]
        time.sleep(0.3)
        assert tab.run("document.documentElement.scrollWidth <= window.innerWidth"), f"{name}: it scrolls sideways"
        picture = tab.screenshot()
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder, f"{name}.png").write_bytes(picture)
    assert tab.errors == []


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "://" not in page
    assert "innerHTML" not in page, "what others wrote is text"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/command", {"Origin": "http://evil.example", "Content-Type": "application/json"}),
        ("POST", "/command", {"Host": "evil.example", "Content-Type": "application/json"}),
        ("POST", "/command", {"Content-Type": "text/plain"}),
        ("POST", "/delete", {"Content-Type": "application/json"}),
        ("GET", "/", {"Host": "evil.example"}),
        ("GET", "/../README.md", {}),
    ],
    ids=["another origin", "another name", "a form", "another call", "another name's page", "a file"],
)
def test_nothing_else_gets_at_its_server(url: str, method: str, path: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection(url.split("/")[2])
    connection.request(method, path, json.dumps({}), headers)
    assert connection.getresponse().status == 404
    connection.close()


def test_a_lambda_that_failed_is_told(deployed: Deployed) -> None:
    def fails(request: Any) -> Any:
        raise RuntimeError("throttled")

    server = serve({"query": fails})
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    connection = http.client.HTTPConnection(f"127.0.0.1:{server.server_port}")
    connection.request("POST", "/query", "{}", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (502, b"throttled")
    connection.close()
    thread.join()
    server.server_close()
