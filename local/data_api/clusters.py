"""The servers of the clusters: made and ended with their cluster, and refused while it resumes from a pause."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from local.data_api.errors import DataApiError
from local.data_api.limits import Limits
from local.data_api.servers import Backup, Cluster, Server
from local.data_api.transactions import Transactions

_T = TypeVar("_T")

_threads = ThreadPoolExecutor(max_workers=190, thread_name_prefix="data-api")
"""Nearly as many as a server has connections: each may hold a statement that waits for another one."""


async def on_thread(work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


@dataclass
class _Pause:
    """A paused cluster resumes at its first call, which takes a while."""

    seconds: float
    awake_at: float | None = None


class Clusters:
    """`exists` tells whether the control plane still knows a cluster, by its resource id."""

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self.limits = Limits()
        self.transactions = Transactions()
        self.backups: dict[str, Backup] = {}
        """What the servers that are to come begin with, by the resource ids of their clusters."""
        self._exists = exists
        self._servers: dict[str, asyncio.Future[Server]] = {}
        self._pauses: dict[str, _Pause] = {}
        self._janitor: asyncio.Task[None] | None = None

    async def server(self, cluster: Cluster) -> Server:
        """Ready, and awake. Raises DataApiError while the cluster resumes, Unavailable if it has no server."""
        self._refuse_while_resuming(cluster)
        server = await asyncio.shield(self.start(cluster))
        await on_thread(partial(server.follow, cluster))
        return server

    def start(self, cluster: Cluster) -> asyncio.Future[Server]:
        """The server of the cluster, begun now if it was not before."""
        if cluster.resource_id not in self._servers:
            starting = on_thread(partial(Server, cluster, self.backups.get(cluster.resource_id)))
            self._servers[cluster.resource_id] = asyncio.ensure_future(starting)
            self._janitor = self._janitor or asyncio.create_task(self._clean_up())
        return self._servers[cluster.resource_id]

    def pause(self, arn: str, seconds: float) -> None:
        """The next call finds the cluster paused; from then on it takes `seconds` to resume."""
        self._pauses[arn] = _Pause(seconds)

    def running(self) -> dict[str, Server]:
        """The servers that are ready, by the resource ids of their clusters."""
        return {
            resource_id: starting.result()
            for resource_id, starting in self._servers.items()
            if starting.done() and not starting.exception()
        }

    def stop(self) -> None:
        """Ends all servers, and waits until nothing is left of them."""
        list(_threads.map(Server.stop, self.running().values()))
        self._servers.clear()

    def _refuse_while_resuming(self, cluster: Cluster) -> None:
        pause = self._pauses.get(cluster.arn)
        if pause is None:
            return
        pause.awake_at = pause.awake_at or time.monotonic() + pause.seconds
        if time.monotonic() >= pause.awake_at:
            del self._pauses[cluster.arn]
            return
        raise DataApiError(
            "DatabaseResumingException",
            f"The Aurora DB instance {cluster.instance_id} is resuming after being auto-paused. "
            "Please wait a few seconds and try again.",
        )

    async def _clean_up(self) -> None:
        while True:
            await asyncio.sleep(min(0.5, self.limits.idle_seconds / 4))
            self.transactions.expire(self.limits)
            for resource_id, server in self.running().items():
                if not self._exists(resource_id):
                    del self._servers[resource_id]
                    await on_thread(server.stop)
