"""The suite's `sqs_fifo` stores: each has a queue of its own, and their relay and sequencer run in this process."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

import boto3

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from testkit import harness
from testkit.harness import Environment
from testkit.sequenced import nothing
from testkit.streams import Stream

from .. import relay, sequencer
from ..queue import Queue

_SECONDS = 60.0


class Harness(harness.Harness):
    # With all that the local AWS knows of what an organisation can set, so that it is not only planned.
    variables: ClassVar = {
        "sweep": "{ settle_seconds = 0 }",
        "kms_key_arn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
        "function_settings": json.dumps(
            {
                "tracing": True,
                "role_path": "/stores/",
                "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
            }
        ),
        "operation_settings": json.dumps(
            {
                "store_events": {"provisioned_concurrency": 1},
                "get_aggregate_events": {"snap_start": True},
                "get_all_events": {"reserved_concurrency": 50},
            }
        ),
        "table_settings": json.dumps(
            {"table_class": "STANDARD_INFREQUENT_ACCESS", "max_write_units": 40000, "append_only": True}
        ),
    }

    def __init__(self, pattern: str, deployed: Mapping[str, str]) -> None:
        super().__init__(pattern, deployed)
        self.sqs: Any = boto3.client("sqs")

    def fresh(self) -> Environment:
        environment = super().fresh()
        self._stream = Stream(environment["TABLE"])
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "0"}
        queue = self.sqs.create_queue(QueueName=f"fresh-{uuid4().hex}.fifo", Attributes=attributes)
        return {**environment, "QUEUE_URL": queue["QueueUrl"]}

    def discard(self, environment: Environment) -> None:
        self.sqs.delete_queue(QueueUrl=environment["QUEUE_URL"])
        super().discard({name: value for name, value in environment.items() if name in self.deployed})

    def drain(self, environment: Environment) -> None:
        queue, running = Queue.from_environment(environment), runtime.sequencer(environment)
        for records in self._stream.batches():
            relay.relay(queue, nothing, {"Records": records})
        with time_limit(_SECONDS):
            while messages := self.receive(environment):
                assert not sequencer.sequence(running, nothing, messages)
                self.delete(environment, messages)

    def receive(self, environment: Environment) -> list[dict[str, str]]:
        """Up to ten messages, as Lambda hands them to a function."""
        answer = self.sqs.receive_message(QueueUrl=environment["QUEUE_URL"], MaxNumberOfMessages=10)
        return [
            {"messageId": it["MessageId"], "receiptHandle": it["ReceiptHandle"], "body": it["Body"]}
            for it in answer.get("Messages", [])
        ]

    def delete(self, environment: Environment, messages: list[dict[str, str]]) -> None:
        for message in messages:
            self.sqs.delete_message(QueueUrl=environment["QUEUE_URL"], ReceiptHandle=message["receiptHandle"])
