"""The local AWS's own HTTP endpoint for its Data API, at CONTROL_PATH, beside the calls that AWS has.

GET lists the clusters' PostgreSQL servers. POST {"pause": {"resourceArn": …, "seconds": n}} pauses the cluster: its
next call resumes it, and for n seconds from then calls are refused with DatabaseResumingException.
POST {"upgrade": {"resourceArn": …, "version": "16.11"}} is its maintenance window, in which AWS upgrades to that minor
version where all instances allow it.
POST {"limits": {…}} changes limits (their names are those in `limits.py`), so that tests need not wait for 45 s.
"""

import json
from dataclasses import asdict, replace
from typing import Any

from local.data_api.clusters import Clusters
from local.data_api.versions import upgrade
from local.fronts import App, Front, Receive, Scope, Send, answer_json, read_body

CONTROL_PATH = "/_local/data-api"


def control(clusters: Clusters) -> Front:
    async def front(scope: Scope, receive: Receive, send: Send, onward: App) -> None:
        if scope["path"] != CONTROL_PATH:
            await onward(scope, receive, send)
            return
        if scope["method"] == "POST":
            try:
                _obey(clusters, json.loads(await read_body(receive)))
            except (ValueError, KeyError, TypeError) as error:
                await answer_json(send, 400, {"message": f"{type(error).__name__}: {error}"})
                return
        await answer_json(send, 200, _state(clusters))

    return front


def _obey(clusters: Clusters, order: dict[str, Any]) -> None:
    if "limits" in order:
        clusters.limits = replace(clusters.limits, **order["limits"])
    if "pause" in order:
        arn = str(order["pause"]["resourceArn"])
        if clusters.transactions.count(arn):
            raise ValueError("a cluster with open transactions does not pause")
        clusters.pause(arn, float(order["pause"]["seconds"]))
    if "upgrade" in order:
        upgrade(str(order["upgrade"]["resourceArn"]), str(order["upgrade"]["version"]))


def _state(clusters: Clusters) -> dict[str, Any]:
    return {
        "limits": asdict(clusters.limits),
        "servers": [
            {"resourceArn": server.cluster.arn, "socketDirectory": server.directory, "guard": server.pid}
            for server in clusters.running().values()
        ],
    }
