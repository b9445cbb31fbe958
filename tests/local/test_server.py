from collections.abc import Callable
from typing import Any

import psutil
import pytest

from local.control import LocalAws
from local.launch import CHECKOUT
from tests.local.conftest import client

Run = Callable[..., Any]


def test_it_listens_on_one_port_of_this_machine_only_whatever_is_created(aws: LocalAws) -> None:
    client(aws, "transfer").create_server()
    client(aws, "iot").create_thing(thingName="thing")
    listening = {tuple(c.laddr) for c in psutil.Process(aws.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", aws.port)}


def test_its_health_answer_names_the_instance_and_the_checkout(aws: LocalAws) -> None:
    health = aws.health()
    assert health is not None
    assert (health["instance"], health["checkout"]) == (aws.instance_id, str(CHECKOUT))


def test_a_lambda_may_do_only_what_its_role_allows(run: Run) -> None:
    refusal = run("""
import botocore.session

def handler(event, context):
    try:
        botocore.session.get_session().create_client("dynamodb").list_tables()
    except Exception as refusal:
        return str(refusal)
""")
    assert "AccessDeniedException" in refusal
    assert "not authorized to perform: dynamodb:ListTables" in refusal


def test_nothing_of_the_callers_environment_reaches_a_lambda(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/of/the/caller")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("SECRET", "of the caller")
    run: Run = request.getfixturevalue("run")
    seen = run("""
import os, sys

def handler(event, context):
    return {"variables": dict(os.environ), "path": sys.path}
""")
    assert not {"PYTHONPATH", "AWS_MAX_ATTEMPTS", "SECRET", "VIRTUAL_ENV"} & seen["variables"].keys()
    assert not {str(CHECKOUT), "/of/the/caller"} & set(seen["path"])


def test_a_lambda_can_import_what_the_runtime_offers_and_not_what_the_emulator_needs(run: Run) -> None:
    source = """
import importlib.util

def handler(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    asked = ["boto3", "botocore", "ministack", "hypercorn", "cryptography", "yaml", "typing_extensions"]
    assert run(source, asked) == ["boto3", "botocore"]


def test_the_key_service_can_sign(aws: LocalAws) -> None:
    keys = client(aws, "kms")
    key = keys.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    assert keys.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
