"""Cluster snapshots and restores, which MiniStack 1.5.33 knows by name only: with all of the cluster's data, its
transaction ids too, as RDS copies its storage. A restored cluster is a new one, without a Data API and with the old
password until it is modified.

Point-in-time restores know one moment, now.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ministack.services import rds, secretsmanager

from local.data_api.clusters import Clusters, on_thread
from local.data_api.servers import Backup

_Response = tuple[int, dict[str, str], bytes]
_Handler = Callable[..., Awaitable[_Response]]


@dataclass(frozen=True)
class _Snapshot:
    cluster: Mapping[str, Any]
    backup: Backup | None
    """None if the cluster never had an instance, and so no data."""


def keeping_backups(clusters: Clusters, control_plane: _Handler) -> _Handler:
    snapshots: dict[str, _Snapshot] = {}

    async def take(cluster: Mapping[str, Any]) -> _Snapshot:
        server = clusters.running().get(cluster["DbClusterResourceId"])
        backup = await on_thread(lambda: server.back_up(Path(mkdtemp()))) if server else None
        return _Snapshot(dict(cluster), backup)

    async def restore(parameters: Mapping[str, str], snapshot: _Snapshot, *request: Any) -> _Response:
        method, path, headers, _, query = request
        action, origin = parameters["Action"], snapshot.cluster
        kept = {
            "Engine": origin["Engine"],
            "EngineVersion": origin["EngineVersion"],
            "MasterUsername": origin["MasterUsername"],
            "DatabaseName": origin["DatabaseName"] or "",
            "StorageEncrypted": str(origin["StorageEncrypted"]).lower(),
        }
        form = {**kept, **parameters, "Action": "CreateDBCluster"}
        status, answered, body = await control_plane(method, path, headers, urlencode(form).encode(), query)
        if status == 200:
            cluster = rds._clusters[parameters["DBClusterIdentifier"]]
            cluster["_MasterUserPassword"] = origin["_MasterUserPassword"]
            if snapshot.backup:
                clusters.backups[cluster["DbClusterResourceId"]] = snapshot.backup
        return status, answered, body.replace(b"CreateDBCluster", action.encode())

    async def handle_request(*request: Any) -> _Response:
        parameters = dict(parse_qsl(request[3].decode(errors="replace"))) if request[0] == "POST" else {}
        action, cluster = parameters.get("Action"), rds._clusters.get(parameters.get("DBClusterIdentifier", ""))
        if action == "RestoreDBClusterFromSnapshot":
            if found := snapshots.get(parameters["SnapshotIdentifier"].rpartition(":")[2]):
                return await restore(parameters, found, *request)
            return _error("DBClusterSnapshotNotFoundFault", "There is no such snapshot.", 404)
        if action == "RestoreDBClusterToPointInTime":
            source = rds._resolve_cluster(parameters["SourceDBClusterIdentifier"])
            if not source:
                return _error("DBClusterNotFoundFault", "There is no such cluster.", 404)
            if parameters.get("UseLatestRestorableTime") != "true":
                return _error("InvalidParameterValue", "The local AWS restores to the latest time only.", 400)
            return await restore(parameters, await take(source), *request)
        final = parameters.get("FinalDBSnapshotIdentifier") if action == "DeleteDBCluster" else None
        taken = await take(cluster) if cluster and (final or action == "CreateDBClusterSnapshot") else None
        if taken and final and final in rds._db_cluster_snapshots:
            return _error("DBClusterSnapshotAlreadyExistsFault", f"DB cluster snapshot {final} already exists.", 400)
        response = await control_plane(*request)
        if taken and response[0] == 200:
            if final:
                rds._create_cluster_snapshot_internal(final, taken.cluster)
            snapshots[final or parameters["DBClusterSnapshotIdentifier"]] = taken
        if action == "ModifyDBCluster" and cluster and parameters.get("ManageMasterUserPassword") == "true":
            _manage_password(cluster)
        return response

    return handle_request


def _manage_password(cluster: dict[str, Any]) -> None:
    """As CreateDBCluster does it."""
    if cluster["MasterUserSecret"]:
        return
    cluster["_MasterUserPassword"] = rds._generate_master_user_password()
    secret = json.dumps({"username": cluster["MasterUsername"], "password": cluster["_MasterUserPassword"]})
    arn = secretsmanager.create_secret_in_process(f"rds!cluster-{rds.new_uuid()}", secret)
    cluster["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "active"}


def _error(code: str, message: str, status: int) -> _Response:
    response: _Response = rds._error(code, message, status)
    return response
