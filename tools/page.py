"""`python -m tools.page PATTERN [--target …]`: a page that shows the accounts sample at work, on 127.0.0.1.

The page is one file, examples/accounts/page.html, which asks for nothing from elsewhere. What it calls goes on to the
deployed Lambdas, with your credentials. So only pages of this very address are answered: no other page that is open in
the browser can call them through it.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lambdas.eventstore.remote import InvocationFailed
from tools import arguments, stores
from tools.console import Failure, UsageError, progress, result, run
from tools.discovery import ROOT, select

PAGE = ROOT / "examples/accounts/page.html"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"

Backend = Mapping[str, Callable[[Any], Any]]
"""What the page can call: `store`, `command`, `query`, `events` and `kill`, each JSON in, JSON out."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Show the accounts sample at work.")
    parser.add_argument("pattern", help="a folder under patterns/")
    parser.add_argument("--target", default="local", help="local (default), localstack or aws")
    given = parser.parse_args()
    arguments.check_target(given.target)
    pattern, *others = select(given.pattern)
    if others:
        raise UsageError("One store is shown at a time: give PATTERN=… as one pattern.")
    with stores.deployed(pattern, given.target) as store:
        sample = stores.sample(pattern, given.target)
        if not sample:
            raise Failure(f"No sample is on {pattern.name}: run make deploy PATTERN={pattern.name} SAMPLE=accounts")
        backend: Backend = {
            "store": lambda request: {"title": f"{pattern.name} ({given.target})"},
            "command": sample.command,
            "query": sample.query,
            "events": lambda request: store.call("get_all_events", request),
            "kill": lambda request: {"killed": dies(sample, request["projection"])},
        }
        server = serve(backend, int(os.environ.get("PAGE_PORT", "0")))
        result(f"http://127.0.0.1:{server.server_port}/")
        progress("Ctrl-C ends it")
        server.serve_forever()


def dies(sample: stores.Sample, projection: str) -> bool:
    """Lets the next run of a projection die in the middle of a batch; whether there was one."""
    try:
        sample.projection(projection, {"command": "crash"})
    except InvocationFailed:
        return True
    return False


def serve(backend: Backend, port: int = 0) -> ThreadingHTTPServer:
    """A server of the page, on a free port if none is given; it answers once it `serve_forever`s."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class names it
            if self.path == "/" and self._is_ours():
                self._answer(200, "text/html; charset=utf-8", PAGE.read_bytes())
            else:
                self._answer(404, "text/plain", b"not here")

        def do_POST(self) -> None:
            call = backend.get(self.path.removeprefix("/"))
            is_json = self.headers.get("Content-Type") == "application/json"
            if not call or not is_json or not self._is_ours():
                self._answer(404, "text/plain", b"not here")
                return
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                self._answer(200, "application/json", json.dumps(call(request)).encode())
            except Exception as failure:
                self._answer(502, "text/plain", str(failure).encode())

        def _is_ours(self) -> bool:
            """Neither a name that leads here (DNS rebinding), nor a page of another origin."""
            here = f"127.0.0.1:{server.server_port}"
            return self.headers.get("Host") == here and self.headers.get("Origin") in (None, f"http://{here}")

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    return server


if __name__ == "__main__":
    run(main)
