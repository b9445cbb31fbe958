"""Point-in-time recovery of DynamoDB tables, in the place of MiniStack's, which copies a table as it is now.

Every change of a table with recovery is remembered from the moment on at which that was turned on, with what was there
before; a restore copies the table and undoes what came later. Refused as on AWS: a table without recovery, a moment
outside of the window, a name that is taken. As on AWS, a restored table has items, keys, indexes and billing mode, and
no stream, recovery, tags, or deletion protection. Unlike AWS: a restore takes no time, and the window ends now rather
than about five minutes ago.

Written against MiniStack 1.5.33: the functions and the dictionaries of its module `dynamodb` that are named below.
"""

import json
import time
from collections import defaultdict
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

_Item = dict[str, Any]
_Answer = tuple[int, dict[str, str], Any]
_Change = tuple[float, _Item | None, _Item | None]
"""When; the item before, and after."""


class _History:
    """Of one table, while its recovery is on."""

    def __init__(self) -> None:
        self.since = time.time()
        self.changes: list[_Change] = []


def install() -> None:
    """Puts itself in the place of the emulator's own."""
    histories: dict[str, _History] = {}  # by TableId: a table of the same name may have been another
    emit, update_backups = dynamodb._emit_stream_event, dynamodb._update_continuous_backups
    describe_backups, restore = dynamodb._describe_continuous_backups, dynamodb._restore_table_to_point_in_time

    def history_of(name: str) -> _History | None:
        table = dynamodb._tables.get(dynamodb._normalize_table_name(name))
        return histories.get(table["TableId"]) if table else None

    def remember(name: str, event: str, old: _Item | None, new: _Item | None, **more: Any) -> None:
        if history := history_of(name):
            history.changes.append((time.time(), old, new))
        emit(name, event, old, new, **more)

    def updating_backups(data: dict[str, Any]) -> _Answer:
        answer: _Answer = update_backups(data)
        name = dynamodb._normalize_table_name(data.get("TableName"))
        if answer[0] == 200:
            if not dynamodb._pitr_settings.get(name):
                histories.pop(dynamodb._tables[name]["TableId"], None)
            elif not history_of(name):
                histories[dynamodb._tables[name]["TableId"]] = _History()
        return answer

    def describing_backups(data: dict[str, Any]) -> _Answer:
        status, headers, body = describe_backups(data)
        if status == 200 and (history := history_of(data["TableName"])):
            described = json.loads(body)
            recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
            recovery["EarliestRestorableDateTime"] = history.since
            recovery["LatestRestorableDateTime"] = time.time()
            body = json.dumps(described).encode()
        return status, headers, body

    def restoring(data: dict[str, Any]) -> _Answer:
        source = data.get("SourceTableName") or dynamodb._table_name_from_arn(data.get("SourceTableArn") or "") or ""
        if source not in dynamodb._tables:
            return restore(data)  # type: ignore[no-any-return]  # which refuses it
        history, now = history_of(source), time.time()
        if not history:
            return _refusal("PointInTimeRecoveryUnavailableException", f"Point in time recovery is not on for {source}")
        at = now if data.get("UseLatestRestorableTime") else data.get("RestoreDateTime")
        if at is None:
            return _refusal("ValidationException", "RestoreDateTime or UseLatestRestorableTime is needed")
        if not history.since <= at <= now:
            window = f"{_told(history.since)} to {_told(now)}"
            return _refusal("InvalidRestoreTimeException", f"{source} can be restored to moments from {window}")
        answer: _Answer = restore(data)
        if answer[0] == 200:
            _undo(dynamodb._tables[data["TargetTableName"]], [change for change in history.changes if change[0] > at])
        return answer

    dynamodb._emit_stream_event = remember
    dynamodb._update_continuous_backups = updating_backups
    dynamodb._describe_continuous_backups = describing_backups
    dynamodb._restore_table_to_point_in_time = restoring


def _undo(table: dict[str, Any], changes: list[_Change]) -> None:
    items: defaultdict[str, dict[str, _Item]] = table["items"]
    for _, old, new in reversed(changes):
        item = new or old or {}
        first, second = (dynamodb._extract_key_val(item.get(table[name])) for name in ("pk_name", "sk_name"))
        key = second if table["sk_name"] else "__no_sort__"
        if old is None:
            items[first].pop(key, None)
        else:
            items[first][key] = deepcopy(old)
    dynamodb._items_replaced(table)


def _told(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _refusal(code: str, message: str) -> _Answer:
    answer: _Answer = error_response_json(code, message, 400)
    return answer
