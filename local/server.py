"""The server process of the local AWS: MiniStack's ASGI app behind our fronts, in the emulator's own venv.

`local.control` starts it with a socket that already listens (so the port is known, and nobody can take it in
between) and with an environment made for it. It ends on SIGTERM or SIGINT and, with `--lifeline`, when its
standard input closes, so that it never outlives a test run. It ends its Lambda workers and its databases and
removes its run directory; after a kill -9 the workers end by themselves, since they read from a pipe that closes, and
the next start removes the rest.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from local.alarms import alarms
from local.fronts import App, chain, health

GRACE_SECONDS = 0.5


def main() -> None:
    arguments = _arguments()
    status, end_databases = 0, _nothing
    try:
        # Not asyncio.run: it would wait for the emulator's threads, one of them in a slow invocation, say.
        loop = asyncio.new_event_loop()
        app, end_databases = _app(arguments.instance)
        sys.executable = arguments.lambda_python  # which is where MiniStack takes its workers' from
        loop.run_until_complete(_serve(app, arguments.socket, lifeline=arguments.lifeline))
    except Exception:
        traceback.print_exc()
        status = 1
    _end_lambda_workers()
    end_databases()
    shutil.rmtree(arguments.run_dir, ignore_errors=True)
    sys.stderr.flush()
    os._exit(status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.server")
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--instance", required=True, help="what this instance calls itself")
    parser.add_argument("--run-dir", type=Path, required=True, help="removed at the end")
    parser.add_argument("--lambda-python", required=True, help="the interpreter that functions run in")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")
    return parser.parse_args()


def _nothing() -> None:
    pass


def _app(instance: str) -> tuple[App, Callable[[], None]]:
    """The app, and what ends the databases behind its Data API."""
    import ministack.app  # type: ignore[import-not-found, unused-ignore]  # reads its settings on import
    from ministack.services import dynamodb  # type: ignore[import-not-found, unused-ignore]

    from local import dynamodb as changes
    from local import leading_keys, point_in_time
    from local.data_api.control import control
    from local.data_api.emulator import install

    changes.install(dynamodb)
    leading_keys.install()
    point_in_time.install()
    clusters = install()

    identity = {
        "instance": instance,
        "checkout": str(Path(__file__).resolve().parents[1]),
        "pid": str(os.getpid()),
        "version": f"MiniStack {version('ministack')}",
        "startedAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return chain([health(identity), alarms(), control(clusters)], ministack.app.app), clusters.stop


async def _serve(app: App, socket: int, *, lifeline: bool) -> None:
    from hypercorn.asyncio import serve  # type: ignore[import-not-found, unused-ignore]
    from hypercorn.config import Config  # type: ignore[import-not-found, unused-ignore]

    config = Config()
    config.bind = [f"fd://{socket}"]
    config.keep_alive_timeout = 75  # longer than an SDK's connection pool keeps a connection
    config.graceful_timeout = GRACE_SECONDS
    end = _told_to_end(lifeline)

    async def ended() -> None:
        await end.wait()
        # First, or Hypercorn would wait for the invocations under way, for as long as their timeouts allow.
        await asyncio.to_thread(_end_lambda_workers)

    await serve(app, config, shutdown_trigger=ended)


def _told_to_end(lifeline: bool) -> asyncio.Event:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if lifeline:

        def watch() -> None:
            sys.stdin.read()
            loop.call_soon_threadsafe(end.set)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return end


def _end_lambda_workers() -> None:
    from ministack.core import lambda_runtime  # type: ignore[import-not-found, unused-ignore]

    lambda_runtime.reset()


if __name__ == "__main__":
    main()
