"""What a history proves to have gone wrong, decided from the history alone.

Sound: each anomaly reported is one, however calls overlapped, failed or were repeated, given that clients tell events
apart by their content. Not complete: what no client looked at is not missed; so end a run with a reading of every
aggregate and of the whole log, once the store has come to rest. What the guarantee sheet admits is said to be admitted.
Takes time in proportion to the calls, and to the length of the log for each reader that started over.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any

from compare.history.index import Chain, Index, Key, Request, bare, covers, versions_of
from compare.history.record import Call, Event

LOST, DOUBLED, REORDERED, LATE, NOT_DURABLE, STALE = "lost", "doubled", "reordered", "late", "not durable", "stale"
TORN, INVERTED, GAPS, ALTERED, INVENTED = "torn", "inverted", "gaps", "altered", "invented"
WRONGLY_REFUSED = "wrongly refused"

KINDS: Mapping[str, str] = {
    LOST: "an event that was stored, as its writer was told or a reader saw, is gone or was kept from a reader",
    DOUBLED: "an event came twice, or two events have one id",
    REORDERED: "events of an aggregate out of version order, or two readers saw one pair in two orders",
    LATE: "an event appeared behind an offset that a reader had already passed",
    NOT_DURABLE: "an aggregate was read after the answer to its writer, and the event came only later",
    STALE: "a reader of all events reached the end, and an event acknowledged before was not there yet",
    TORN: "of a request's events some are there, others are not and never come",
    INVERTED: "an event stored before another was begun comes after it in the log",
    GAPS: "offsets do not count 1, 2, 3 …",
    ALTERED: "an event is not what its writer gave, or changed between two readings",
    INVENTED: "an event that nobody asked to store, or whose writer was told that it was not stored",
    WRONGLY_REFUSED: "a conflict that cannot have been, or a repeated request that was not recognised",
}

Guarantees = Mapping[str, Any]

STRICTEST: Guarantees = {"global_order": "total", "read_all": "strong", "late_events": False, "dense_offsets": True}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """`calls` are places in the history; `admitted`, whether the guarantee sheet allows for it."""

    kind: str
    what: str
    calls: tuple[int, ...] = ()
    admitted: bool = False


def check(history: Sequence[Call], guarantees: Guarantees = STRICTEST, visible_within: float = 0.0) -> list[Anomaly]:
    """Each anomaly of the history, one for each kind and event.

    An event may take `visible_within` seconds to show in the log of a store whose `read_all` is eventual: what a reader
    then still misses is lost. (In any other it has that time from when it was seen to its writer's answer.)
    """
    checker = _Checker(Index(history), guarantees, visible_within)
    checker.check_answers()
    checker.check_identities()
    checker.check_aggregates()
    checker.check_logs()
    return list(checker.anomalies.values())


def admits(guarantees: Guarantees, kind: str) -> bool:
    """Whether a guarantee sheet allows for anomalies of this kind."""
    late, eventual = guarantees["late_events"] is True, guarantees["read_all"] == "eventual"
    if kind == INVERTED:
        # In a total order that is readable at once and never changes, what came first is first. Any other may differ.
        return late or eventual or guarantees["global_order"] != "total"
    return (kind == LATE and late) or (kind == STALE and eventual) or (kind == GAPS and not guarantees["dense_offsets"])


class _Log:
    """The last whole reading of the log: the order that all others are held against."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        events: dict[Key, Event] = {}
        for _, _, event in chain.events():
            events.setdefault(Key.of(event), event)
        self.events = list(events.values())
        self.place = {key: place for place, key in enumerate(events)}
        self.place_of_offset = {event["offset"]: place for place, event in enumerate(self.events)}

    def start_of(self, chain: Chain) -> int | None:
        """The place behind which a reader began; None if it is not known here."""
        return -1 if chain.after is None else self.place_of_offset.get(chain.after)


@dataclass
class _Checker:
    index: Index
    guarantees: Guarantees
    visible_within: float
    anomalies: dict[tuple[str, Any], Anomaly] = field(default_factory=dict)

    def found(self, kind: str, subject: Any, what: str, *calls: int) -> None:
        """One for each kind and subject: a loss that ten readers notice is one. Of an event `what` names it first."""
        what = f"{subject}{what}" if isinstance(subject, Key) else what
        self.anomalies.setdefault((kind, subject), Anomaly(kind, what, calls, admits(self.guarantees, kind)))

    def check_answers(self) -> None:
        """What writers were told."""
        for number, request in self.index.request_of.items():
            call = self.index.history[number]
            if call.refused:
                self._check_conflict(number, call, request)
            elif not call.failed and list(map(bare, call.events)) != list(map(bare, request.events)):
                self.found(ALTERED, number, "the answer to a writer holds other events than its request", number)
        for key, requests in self.index.asked.items():
            told = [request.acknowledged_by for request in requests if request.acknowledged < inf]
            if len(told) > 1:
                self.found(LOST, key, ": two writers were told that they had stored it", *told)

    def _check_conflict(self, number: int, call: Call, request: Request) -> None:
        error = call.told["error"]
        aggregate, current = error["aggregateId"], error["currentVersion"]
        stored = self.index.asked.get(Key(aggregate, current), ())
        if "requestId" in call.request and self.index.effective_since(request, strong=True) < call.began:
            wrong = "a request that was stored before was not recognised"
        elif error["expectedVersion"] == current:
            wrong = f"{aggregate} was at the version that the request expected"
        elif current and not any(each.began <= call.ended for each in stored):
            wrong = f"{aggregate} was never at version {current}: nobody stored it"
        elif self.index.stored_since(Key(aggregate, current + 1)) < call.began:
            wrong = f"{aggregate} was beyond version {current} already"
        else:
            return
        self.found(WRONGLY_REFUSED, number, wrong, number)

    def check_identities(self) -> None:
        """Every event that somebody saw is one that a writer gave, under one id and offset."""
        owners: dict[str, Key] = {}
        for key, sightings in self.index.sightings.items():
            first = sightings[0]
            for each in sightings:
                event = each.event
                if not each.requests:
                    kind = ALTERED if self.index.asked.get(key) else INVENTED
                    self.found(kind, key, ": no writer gave it so", each.call)
                elif all(request.refused == request.sent for request in each.requests):
                    self.found(INVENTED, key, ": its writer was told that it is not stored", each.call)
                offsets = {event.get("offset"), first.event.get("offset")} - {None}
                if event["eventId"] != first.event["eventId"] or len(offsets) > 1:
                    self.found(ALTERED, key, ": its id or offset changed", first.call, each.call)
                if (owner := owners.setdefault(event["eventId"], key)) != key:
                    self.found(DOUBLED, key, f" has the id of {owner}", each.call)

    def check_aggregates(self) -> None:
        """Each reading of an aggregate: in version order, without holes, with everything that was stored before it."""
        for aggregate, reads in self.index.reads.items():
            stored_since = {key: self.index.stored_since(key) for key in self.index.asked_of[aggregate]}
            for number, call in reads:
                versions = versions_of(call)
                self._check_order(aggregate, versions, number)
                for key, since in stored_since.items():
                    if key.version not in versions and covers(call, key.version):
                        if since < call.began:
                            self._missing(key, number)
                        elif key.version < max(versions, default=0):
                            self.found(LOST, key, f": a hole before version {max(versions)}", number)
        for request in self.index.requests.values():
            self._check_whole(request)

    def _check_order(self, aggregate: str, versions: list[int], number: int) -> None:
        for earlier, later in pairwise(versions):
            if later == earlier:
                self.found(DOUBLED, Key(aggregate, later), " came twice in one reading", number)
            elif later < earlier:
                self.found(REORDERED, Key(aggregate, later), f" came after {earlier}", number)

    def _missing(self, key: Key, number: int) -> None:
        """An event that is stored was not in a reading of its aggregate that covers it."""
        began = self.index.history[number].began
        later = [call for _, call in self.index.reads[key.aggregate] if call.began >= began]
        if any(key.version in versions_of(call) for call in later):
            self.found(NOT_DURABLE, key, ": acknowledged, but not there when read; it came later", number)
        else:
            self.found(LOST, key, ": stored, and gone", number)

    def _check_whole(self, request: Request) -> None:
        """If any event of a request took effect, all of them are in the last readings of their aggregates.

        Only in the last: a transaction's events become visible one by one while it commits.
        """
        since = self.index.effective_since(request)
        readings = [(event, self.index.last_reading(Key.of(event))) for event in request.events]
        shown = [event for event, last in readings if last and bare(event) in map(bare, last[1].events)]
        for event, last in readings:
            if last and event not in shown and since < last[1].began:
                if shown:
                    self.found(TORN, Key.of(event), ": missing, while other events of its request are there", last[0])
                else:
                    self.found(LOST, Key.of(event), ": stored, and gone", last[0])

    def check_logs(self) -> None:
        for chain in self.index.chains:
            self._check_chain(chain)
        if whole := [chain for chain in self.index.chains if chain.whole]:
            log = _Log(max(whole, key=lambda chain: chain.began))
            for chain in self.index.chains:
                self._check_passed(chain, log)
                self._check_freshness(chain, log)
            self._check_lost_from_log(log)
            self._check_real_time(log)
            self._check_density(log)

    def _check_chain(self, chain: Chain) -> None:
        """Nothing twice, and versions rise, for one reader."""
        seen: set[Key] = set()
        newest: dict[str, int] = {}
        for number, _, event in chain.events():
            key = Key.of(event)
            if key in seen:
                self.found(DOUBLED, key, " came twice to one reader of the log", number)
            elif key.version < newest.get(key.aggregate, 0):
                self.found(REORDERED, key, f" came after version {newest[key.aggregate]} in the log", number)
            seen.add(key)
            newest[key.aggregate] = max(key.version, newest.get(key.aggregate, 0))

    def _check_passed(self, chain: Chain, log: _Log) -> None:
        """One reader's view against the last: the same order, and nothing missing that it has passed."""
        furthest, passed_by = -1, [(-1, chain.pages[0])]
        seen: set[Key] = set()
        for number, call, event in chain.events():
            key = Key.of(event)
            seen.add(key)
            place = log.place.get(key, inf)
            if place < furthest:
                self.found(REORDERED, key, ": two readers saw it in two places", number)
            elif key in log.place:
                furthest = log.place[key]
                passed_by.append((furthest, (number, call)))
        if (start := log.start_of(chain)) is None:
            return
        places = [place for place, _ in passed_by]
        for place in range(start + 1, furthest):
            key = Key.of(log.events[place])
            if key not in seen:
                number, page = passed_by[bisect_right(places, place)][1]
                if self._visible_since(key) < page.began:
                    self.found(LOST, key, ": in the log, but kept from one reader", number)
                else:
                    self.found(LATE, key, " appeared where a reader had already passed", number)

    def _check_freshness(self, chain: Chain, log: _Log) -> None:
        """At each end that a reader reached, whether everything was there that had been acknowledged before."""
        if (start := log.start_of(chain)) is None:
            return
        acknowledged = (
            (each.acknowledged, Key.of(event)) for each in self.index.requests.values() for event in each.events
        )
        expected = deque(sorted((at, key) for at, key in acknowledged if at < inf and log.place.get(key, -1) > start))
        seen: set[Key] = set()
        due: set[Key] = set()
        furthest = start
        for number, call in chain.pages:
            keys = [Key.of(event) for event in call.events]
            seen.update(keys)
            furthest = max([furthest, *(log.place.get(key, -1) for key in keys)])
            while expected and expected[0][0] < call.began:
                due.add(expected.popleft()[1])
            due -= seen
            if not call.told["hasMore"]:
                for key in (key for key in due if log.place[key] > furthest):
                    self.found(STALE, key, ": acknowledged, but not yet in the log", number)

    def _check_lost_from_log(self, log: _Log) -> None:
        for key in self.index.asked:
            unanswered = min(self.index.seen(key), default=inf) + self.visible_within
            if min(self._visible_since(key), unanswered) < log.chain.began and key not in log.place:
                self.found(LOST, key, ": stored, and not in the log", log.chain.pages[-1][0])

    def _check_real_time(self, log: _Log) -> None:
        """No event comes behind one that was begun only after it had been acknowledged."""
        earliest, first = inf, None
        for event in reversed(log.events):
            key = Key.of(event)
            requests = self.index.sightings[key][0].requests
            if earliest < min((request.began for request in requests), default=0.0):
                self.found(INVERTED, key, f" comes before {first}, stored before it was begun")
            acknowledged = min((request.acknowledged for request in requests), default=inf)
            if acknowledged < earliest:
                earliest, first = acknowledged, key

    def _check_density(self, log: _Log) -> None:
        if [event["offset"] for event in log.events] != [str(place + 1) for place in range(len(log.events))]:
            self.found(GAPS, "log", "offsets do not count 1, 2, 3 …", log.chain.pages[0][0])

    def _visible_since(self, key: Key) -> float:
        """When every reader of the log must have been able to see the event."""
        delay = self.visible_within if self.guarantees["read_all"] == "eventual" else 0.0
        return min([self.index.acknowledged(key), *self.index.seen(key, strong=False)]) + delay
