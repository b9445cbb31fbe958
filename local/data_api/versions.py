"""What RDS does about engine versions and MiniStack 1.5.33 does not, for Aurora PostgreSQL.

A downgrade is refused. A major version alone stands for one of its minor ones. Instances follow their cluster. When
`upgrade` plays the maintenance window, a cluster all of whose instances allow it moves to a newer minor version. A
cluster whose password RDS manages has no blue/green deployments. Sources: README.md.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ministack.services import rds

_Response = tuple[int, dict[str, str], bytes]
_Handler = Callable[..., Awaitable[_Response]]
_ENGINE = "aurora-postgresql"


def keeping_versions(control_plane: _Handler) -> _Handler:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> _Response:
        parameters = dict(parse_qsl(body.decode(errors="replace"))) if method == "POST" else {}
        clusters = [cluster for cluster in rds._clusters.all_values() if _is_meant(cluster, parameters)]
        before = {cluster["DBClusterArn"]: cluster["EngineVersion"] for cluster in clusters}
        for cluster in clusters:
            if refusal := _refusal(parameters, cluster):
                return refusal
        response = await control_plane(method, path, headers, body, query)
        for cluster in rds._clusters.all_values():
            if _is_meant(cluster, parameters):
                _settle(cluster, before.get(cluster["DBClusterArn"], ""))
        if parameters.get("Action") == "ModifyDBInstance" and "AutoMinorVersionUpgrade" in parameters:
            _remember_auto_upgrade(parameters)
        return response

    return handle_request


def upgrade(arn: str, version: str) -> None:
    """The maintenance window of the cluster, in which this is the minor version that AWS upgrades to by itself.

    Raises:
        ValueError: no such cluster, or the version is not a newer minor one of its own major.
    """
    [cluster] = [each for each in rds._clusters.all_values() if each["DBClusterArn"] == arn]
    current = cluster["EngineVersion"]
    if _number(version)[0] != _number(current)[0] or _number(version) <= _number(current):
        raise ValueError(f"{version} is no minor upgrade of {current}")
    if all(instance["AutoMinorVersionUpgrade"] for instance in _instances(cluster)):
        cluster["EngineVersion"] = version
        _settle(cluster, version)


def _is_meant(cluster: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    names = (cluster["DBClusterIdentifier"], cluster["DBClusterArn"])
    instances = {instance["DBInstanceIdentifier"] for instance in _instances(cluster)}
    return cluster["Engine"] == _ENGINE and (
        parameters.get("DBClusterIdentifier") in names
        or parameters.get("Source") in names
        or parameters.get("DBInstanceIdentifier") in instances
    )


def _refusal(parameters: Mapping[str, str], cluster: Mapping[str, Any]) -> _Response | None:
    action, wanted, current = parameters.get("Action", ""), parameters.get("EngineVersion"), cluster["EngineVersion"]
    if action.startswith("Modify") and wanted and _number(wanted) < _number(current)[: len(_number(wanted))]:
        return _error("InvalidParameterCombination", f"Cannot upgrade {_ENGINE} from {current} to {wanted}")
    if action == "CreateBlueGreenDeployment" and cluster["MasterUserSecret"]:
        return _error(
            "SourceClusterNotSupportedFault",
            "The source DB cluster isn't supported for a blue/green deployment: "
            "its master user password is managed with Secrets Manager.",
        )
    return None


def _settle(cluster: dict[str, Any], before: str) -> None:
    """A version in full, for the cluster and its instances."""
    version = cluster["EngineVersion"]
    if "." not in version:
        same_major = before.partition(".")[0] == version
        cluster["EngineVersion"] = (
            before if same_major else rds.AURORA_POSTGRESQL_DEFAULT_ENGINE_VERSIONS.get(version, version)
        )
    for instance in _instances(cluster):
        instance["EngineVersion"] = cluster["EngineVersion"]


def _remember_auto_upgrade(parameters: Mapping[str, str]) -> None:
    for instance in rds._instances.all_values():
        if instance["DBInstanceIdentifier"] == parameters["DBInstanceIdentifier"]:
            instance["AutoMinorVersionUpgrade"] = parameters["AutoMinorVersionUpgrade"] == "true"


def _instances(cluster: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = cluster["DBClusterIdentifier"]
    return [each for each in rds._instances.all_values() if each.get("DBClusterIdentifier") == name]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _error(code: str, message: str) -> _Response:
    response: _Response = rds._error(code, message, 400)
    return response
