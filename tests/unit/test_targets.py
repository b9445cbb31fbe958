import os
import socket
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ProfileNotFound

from tools import arguments, deployments, targets
from tools.console import Failure, UsageError
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace

AWS = Target("aws", "account 1, region r", {}, {}, keeps_nothing=False)


def local(identity: str) -> Target:
    return Target("local", identity, {}, {})


@pytest.fixture
def workspace(sample: Pattern, tmp_path: Path) -> Workspace:
    return Workspace(sample, "local", tmp_path)


def test_an_unknown_target_is_wrong_usage_and_the_valid_ones_are_listed() -> None:
    with pytest.raises(UsageError, match="local, localstack, aws"):
        arguments.check_target("azure")


def test_nothing_of_the_callers_aws_configuration_reaches_a_local_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://elsewhere")
    environment = targets._isolated({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert {name: value for name, value in environment.items() if name.startswith("AWS_")} == {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }


def test_a_localstack_that_does_not_answer_is_told_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(Failure, match=f"No LocalStack answers at {endpoint}"):
        targets.reach("localstack")


def test_a_localstack_is_reached_past_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    class LocalStack(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"session_id": "first"}')

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), LocalStack) as server, ThreadPoolExecutor(1) as pool:
        server.timeout = 5
        pool.submit(server.handle_request)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "")  # also where the session has set its own
        monkeypatch.setenv("no_proxy", "intranet.example")
        target = targets.reach("localstack")
    assert target
    assert target.identity == "first"
    assert target.environment["NO_PROXY"] == target.environment["no_proxy"] == "intranet.example,127.0.0.1"


def test_aws_is_not_reached_through_an_endpoint_that_was_left_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with pytest.raises(Failure, match=r"AWS_ENDPOINT_URL is .*: unset it"):
        targets.reach("aws")


def test_aws_without_a_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(Failure, match="set AWS_REGION"):
        targets.reach("aws")


def test_spending_on_aws_needs_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YES", raising=False)
    with pytest.raises(Failure, match="YES=1"):
        targets.consent(AWS, "Deploy?")
    monkeypatch.setenv("YES", "1")
    targets.consent(AWS, "Deploy?")


def test_the_account_is_shown_before_the_question(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YES", "1")
    targets.consent(AWS, "Deploy?")
    assert "account 1, region r" in capfd.readouterr().err


def test_a_local_target_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YES", raising=False)
    targets.consent(local("instance"), "Deploy?")


def test_the_state_of_an_instance_that_is_gone_is_set_aside(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    deployments.claim(workspace, local("first"))
    workspace.state.write_text("{}")
    deployments.claim(workspace, local("second"))
    assert not workspace.state.exists()
    assert (workspace.folder / "previous.tfstate").read_text() == "{}"
    assert "is gone" in capfd.readouterr().err


def test_the_state_of_the_same_instance_is_kept(workspace: Workspace) -> None:
    deployments.claim(workspace, local("first"))
    workspace.state.write_text("{}")
    deployments.claim(workspace, local("first"))
    assert workspace.state.exists()


def test_the_state_of_another_account_is_never_touched(workspace: Workspace) -> None:
    deployments.claim(workspace, AWS)
    workspace.state.write_text("{}")
    with pytest.raises(Failure, match="deployed in account 1, region r, and your credentials are for account 2"):
        deployments.claim(workspace, Target("aws", "account 2, region r", {}, {}, keeps_nothing=False))
    assert workspace.state.exists()


def test_one_pattern_that_fails_stops_no_other(sample: Pattern, tmp_path: Path) -> None:
    other = Pattern(tmp_path / "patterns/other")
    done: list[str] = []

    def work(it: Pattern) -> None:
        if it == sample:
            raise Failure("sample: broken")
        done.append(it.name)

    with pytest.raises(Failure, match="sample: broken"):
        deployments.each([sample, other], work)
    assert done == ["other"]


def test_a_client_of_a_local_target_knows_nothing_of_the_callers_profile_and_proxies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Lambda(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"Functions": []}')

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    with HTTPServer(("127.0.0.1", 0), Lambda) as server, ThreadPoolExecutor(1) as pool:
        server.timeout = 5
        pool.submit(server.handle_request)
        environ = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_CONFIG_FILE": os.devnull, **keys}
        assert Target("local", "instance", environ, {}).client("lambda").list_functions()["Functions"] == []
    with pytest.raises(ProfileNotFound, match="production"):
        Target("aws", "account", {"AWS_PROFILE": "production"}, {}, keeps_nothing=False).client("lambda")
