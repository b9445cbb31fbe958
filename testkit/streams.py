"""The stream of a table, read as Lambda's event source mapping would hand it to a function."""

from collections.abc import Iterator
from typing import Any

from testkit import clients

Record = dict[str, Any]


class Stream:
    """Batches of a stream's records, in order. One that is not done with is given again: delivery is at least once."""

    def __init__(self, table: str) -> None:
        self._client: Any = clients.client("dynamodbstreams")
        self._arn = clients.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._done: str | None = None

    def batches(self, size: int = 100) -> Iterator[list[Record]]:
        """Until there are no more; to ask for the next batch says that this one is done with."""
        while records := self._read(size):
            yield records
            self._done = records[-1]["dynamodb"]["SequenceNumber"]

    def all(self) -> list[Record]:
        """All records that are not done with."""
        return self._read(1000)

    def _read(self, size: int) -> list[Record]:
        [shard] = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        start: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._done:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._done}
        iterator = self._client.get_shard_iterator(StreamArn=self._arn, ShardId=shard["ShardId"], **start)
        records: list[Record] = self._client.get_records(ShardIterator=iterator["ShardIterator"], Limit=size)["Records"]
        return [record for record in records if record["eventName"] == "INSERT"]
