"""The Data API as a service of MiniStack: in the place of its own, so that the signature was verified, and `rds-data:*`
on the cluster allowed, before a call comes here; and the clusters and secrets are those of MiniStack's RDS and Secrets
Manager.

Clusters other than Aurora PostgreSQL keep MiniStack's own Data API. Written against MiniStack 1.5.33, on purpose
against few of its names: `handle_request` of its service modules, and what `ControlPlane` reads below.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.core.iam_actions import identity_denial_message
from ministack.core.iam_evaluator import enforce
from ministack.core.responses import error_response_json, get_region, json_response
from ministack.core.router import extract_access_key_id
from ministack.services import rds, rds_data, secretsmanager

from local.data_api.backups import keeping_backups
from local.data_api.clusters import Clusters
from local.data_api.errors import DataApiError
from local.data_api.servers import Cluster
from local.data_api.service import DataApi
from local.data_api.versions import keeping_versions

_Response = tuple[int, dict[str, str], bytes]
_Handler = Callable[..., Awaitable[_Response]]
_ENGINE = "aurora-postgresql"
_CONTENT_TYPE = "application/json"

_DAY_MS = "86400000"
"""Aurora's default of idle_in_transaction_session_timeout, in milliseconds."""


def install() -> Clusters:
    """Puts the Data API in its place."""
    clusters = Clusters(exists=lambda resource_id: resource_id in map(_resource_id, rds._clusters.all_values()))
    rds_data.handle_request = _answering(DataApi(clusters), rds_data.handle_request)
    rds.handle_request = _starting_servers(clusters, keeping_backups(clusters, keeping_versions(rds.handle_request)))
    _remember_auto_pause()
    return clusters


def _answering(data_api: DataApi, for_other_engines: _Handler) -> _Handler:
    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> _Response:
        if _engine(body) not in (None, _ENGINE):
            return await for_other_engines(method, path, headers, body, query)
        try:
            answer = await data_api.answer(path, body, _Caller(extract_access_key_id(headers, query)))
        except DataApiError as error:
            return _error(error)
        response: _Response = json_response(answer, content_type=_CONTENT_TYPE)
        return response

    return handle_request


def _starting_servers(clusters: Clusters, control_plane: _Handler) -> _Handler:
    """As soon as a cluster is ready for calls, so that the first one need not wait."""

    async def handle_request(*request: Any) -> _Response:
        response = await control_plane(*request)
        for cluster in rds._clusters.all_values():
            if cluster["Engine"] == _ENGINE and cluster["HttpEndpointEnabled"] and (writer := _writer(cluster)):
                clusters.start(_known(cluster, writer))
        return response

    return handle_request


class _Caller:
    """The control plane, for the caller with this access key."""

    def __init__(self, access_key: str) -> None:
        self._access_key = access_key

    def cluster(self, arn: str) -> Cluster:
        cluster = rds._resolve_cluster(arn)
        if not cluster or cluster["DBClusterArn"] != arn or not cluster["HttpEndpointEnabled"]:
            # For a wrong ARN too: docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html
            raise DataApiError("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for resource {arn}")
        writer = _writer(cluster)
        if not writer:
            raise DataApiError("DatabaseNotFoundException", "The DB cluster doesn't have a DB instance.", 404)
        return _known(cluster, writer)

    def credentials(self, secret_arn: str) -> tuple[str, str]:
        self._may_read(secret_arn)
        status, _, body = secretsmanager._get_secret_value({"SecretId": secret_arn})
        answer = json.loads(body)
        if status != 200:
            raise DataApiError("SecretsErrorException", answer["message"])
        try:
            secret = json.loads(answer["SecretString"])
            return str(secret["username"]), str(secret["password"])
        except (KeyError, TypeError, ValueError):
            raise DataApiError("InvalidSecretException", f"{secret_arn} holds no username and password") from None

    def _may_read(self, secret_arn: str) -> None:
        _, secret = secretsmanager._resolve(secret_arn, use_arn_scope=True)
        resource, action = secret["ARN"] if secret else secret_arn, "secretsmanager:GetSecretValue"
        denied = enforce(self._access_key, action, "secretsmanager", get_region(), resource_arn=resource)
        if denied:
            message = identity_denial_message(action, denied.principal_arn, resource, denied.decision == "Deny")
            raise DataApiError("AccessDeniedException", message, 403)


def _writer(cluster: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The instance that takes statements, once it is available."""
    writers = {member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"] if member["IsClusterWriter"]}
    for instance in rds._instances.all_values():
        in_cluster = instance.get("DBClusterIdentifier") == cluster["DBClusterIdentifier"]
        if in_cluster and instance["DBInstanceIdentifier"] in writers and instance["DBInstanceStatus"] == "available":
            found: Mapping[str, Any] = instance
            return found
    return None


def _known(cluster: Mapping[str, Any], writer: Mapping[str, Any]) -> Cluster:
    return Cluster(
        arn=cluster["DBClusterArn"],
        resource_id=_resource_id(cluster),
        instance_id=writer["DbiResourceId"],
        master_user=cluster["MasterUsername"],
        master_password=cluster["_MasterUserPassword"],
        database=cluster["DatabaseName"],
        idle_in_transaction_ms=_parameter(cluster, "idle_in_transaction_session_timeout", _DAY_MS),
    )


def _parameter(cluster: Mapping[str, Any], name: str, default: str) -> str:
    """What the cluster's parameter group says, or else the default."""
    group = rds._db_cluster_param_groups.get(cluster["DBClusterParameterGroup"]) or {}
    found = group.get("Parameters", {}).get(name, {})
    return str(found.get("ParameterValue") or default)


def _engine(body: bytes) -> str | None:
    """The engine of the cluster that a request names; None if it names none."""
    try:
        cluster = rds._resolve_cluster(json.loads(body)["resourceArn"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return str(cluster["Engine"]) if cluster else None


def _resource_id(cluster: Mapping[str, Any]) -> str:
    return str(cluster["DbClusterResourceId"])


def _error(error: DataApiError) -> _Response:
    response: _Response = error_response_json(error.code, error.message, error.status, content_type=_CONTENT_TYPE)
    return response


def _remember_auto_pause() -> None:
    """MiniStack 1.5.33 forgets SecondsUntilAutoPause, so Terraform would want to change it again and again."""
    read, render = rds._serverlessv2_from_params, rds._serverlessv2_xml

    def read_all(parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        scaling: dict[str, Any] | None = read(parameters)
        seconds = rds._p(parameters, "ServerlessV2ScalingConfiguration.SecondsUntilAutoPause")
        return {**scaling, "SecondsUntilAutoPause": int(seconds)} if scaling and seconds else scaling

    def render_all(cluster: Mapping[str, Any]) -> str:
        text: str = render(cluster)
        seconds = (cluster.get("ServerlessV2ScalingConfiguration") or {}).get("SecondsUntilAutoPause")
        end = "</ServerlessV2ScalingConfiguration>"
        return text.replace(end, f"<SecondsUntilAutoPause>{seconds}</SecondsUntilAutoPause>{end}") if seconds else text

    rds._serverlessv2_from_params, rds._serverlessv2_xml = read_all, render_all
