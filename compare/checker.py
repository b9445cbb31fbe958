"""What a history proves to have gone wrong, decided from the history alone.

Sound: each anomaly reported is one, however calls overlapped, failed or were repeated, given that clients tell events
apart by their content. Not complete: what no client looked at is not missed; so end a run with a reading of every
aggregate and of the whole log, once the store has come to rest. What the guarantee sheet admits is said to be admitted.
Takes time in proportion to the calls, and to the length of the log for each reader that started over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

from compare.facts import Chain, Event, Facts, Key, Request, bare, covers, key_of, malformed, versions_of
from compare.history import Call

LOST = "lost"
DOUBLED = "doubled"
REORDERED = "reordered"
LATE = "late"
NOT_DURABLE = "not durable"
STALE = "stale"
TORN = "torn"
INVERTED = "inverted"
GAPS = "gaps"
ALTERED = "altered"
INVENTED = "invented"
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

STRICTEST: Guarantees = {
    "global_order": "total",
    "read_all": "strong",
    "late_events": False,
    "dense_offsets": True,
}


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
    facts = Facts(history)
    found = _Found(guarantees)
    _check_answers(facts, found)
    _check_aggregates(facts, found)
    _check_log(facts, found, visible_within)
    return list(found.anomalies.values())


def admits(guarantees: Guarantees, kind: str) -> bool:
    """Whether a guarantee sheet allows for anomalies of this kind."""
    late, eventual = guarantees["late_events"] is True, guarantees["read_all"] == "eventual"
    if kind == INVERTED:
        # In a total order that is readable at once and never changes, what came first is first. Any other may differ.
        return late or eventual or guarantees["global_order"] != "total"
    return (kind == LATE and late) or (kind == STALE and eventual) or (kind == GAPS and not guarantees["dense_offsets"])


class _Found:
    """The anomalies, one for each kind and subject: a loss that ten readers notice is one."""

    def __init__(self, guarantees: Guarantees) -> None:
        self.guarantees = guarantees
        self.anomalies: dict[tuple[str, Any], Anomaly] = {}

    def add(self, kind: str, subject: Any, what: str, *calls: int) -> None:
        self.anomalies.setdefault((kind, subject), Anomaly(kind, what, calls, admits(self.guarantees, kind)))


def _check_answers(facts: Facts, found: _Found) -> None:
    """What writers were told, and that every event that somebody saw is one that a writer gave."""
    for number, call in enumerate(facts.history):
        if call.operation != "store_events" or call.failed or malformed(call):
            continue
        answer, request = call.answer or {}, facts.request_of[number]
        if call.refused:
            _check_conflict(facts, found, number, request)
        elif [bare(event) for event in answer["events"]] != [bare(event) for event in request.events]:
            found.add(ALTERED, number, "the answer to a writer holds other events than its request", number)
    for key, requests in facts.asked.items():
        if sum(request.acknowledged < inf for request in requests) > 1:
            told = tuple(request.acknowledged_by for request in requests if request.acknowledged < inf)
            found.add(LOST, key, f"{_name(key)}: two writers were told that they had stored it", *told)
    _check_identities(facts, found)


def _check_conflict(facts: Facts, found: _Found, number: int, request: Request) -> None:
    call = facts.history[number]
    error = (call.answer or {})["error"]
    aggregate, current = error["aggregateId"], error["currentVersion"]
    if "requestId" in call.request and _stored_before(facts, request, call):
        found.add(WRONGLY_REFUSED, number, "a request that was stored before was not recognised", number)
    elif error["expectedVersion"] == current:
        found.add(WRONGLY_REFUSED, number, f"{aggregate} was at the version that the request expected", number)
    elif current and not any(each.began <= call.ended for each in facts.asked.get((aggregate, current), ())):
        found.add(WRONGLY_REFUSED, number, f"{aggregate} was never at version {current}: nobody stored it", number)
    elif _stored_since(facts, (aggregate, current + 1)) < call.began:
        found.add(WRONGLY_REFUSED, number, f"{aggregate} was beyond version {current} already", number)


def _stored_before(facts: Facts, request: Request, call: Call) -> bool:
    strong = (
        each.ended
        for event in request.events
        for each in facts.sightings.get(key_of(event), ())
        if each.strong and each.requests == [request]
    )
    return min([request.acknowledged, *strong]) < call.began


def _check_identities(facts: Facts, found: _Found) -> None:
    owners: dict[str, Key] = {}
    for key, sightings in facts.sightings.items():
        first = sightings[0]
        for sighting in sightings:
            event = sighting.event
            if not sighting.requests:
                kind = ALTERED if facts.asked.get(key) else INVENTED
                found.add(kind, key, f"{_name(key)}: no writer gave it so", sighting.call)
            elif all(request.only_refused for request in sighting.requests):
                found.add(INVENTED, key, f"{_name(key)}: its writer was told that it is not stored", sighting.call)
            if event["eventId"] != first.event["eventId"] or _differ(event.get("offset"), first.event.get("offset")):
                found.add(ALTERED, key, f"{_name(key)}: its id or offset changed", first.call, sighting.call)
            if owners.setdefault(event["eventId"], key) != key:
                found.add(DOUBLED, key, f"{_name(key)} has the id of {_name(owners[event['eventId']])}", sighting.call)


def _check_aggregates(facts: Facts, found: _Found) -> None:
    """Each reading of an aggregate: in version order, without holes, with everything that was stored before it."""
    for aggregate, reads in facts.reads.items():
        stored_since = {key: _stored_since(facts, key) for key in facts.asked_of[aggregate]}
        for number, call in reads:
            versions = versions_of(call)
            _check_order(aggregate, versions, number, found)
            for key, since in stored_since.items():
                if key[1] not in versions and covers(call, key[1]):
                    if since < call.began:
                        _missing(facts, found, key, number)
                    elif key[1] < max(versions, default=0):
                        found.add(LOST, key, f"{_name(key)}: a hole before version {max(versions)}", number)
    for request in facts.requests.values():
        _check_whole(facts, found, request)


def _check_order(aggregate: str, versions: list[int], number: int, found: _Found) -> None:
    for earlier, later in pairwise(versions):
        if later == earlier:
            found.add(DOUBLED, (aggregate, later), f"{_name((aggregate, later))} came twice in one reading", number)
        elif later < earlier:
            found.add(REORDERED, (aggregate, later), f"{_name((aggregate, later))} came after {earlier}", number)


def _missing(facts: Facts, found: _Found, key: Key, number: int) -> None:
    """An event that is stored was not in a reading of its aggregate that covers it."""
    later = [call for _, call in facts.reads[key[0]] if call.began >= facts.history[number].began]
    if any(key[1] in versions_of(call) for call in later):
        found.add(NOT_DURABLE, key, f"{_name(key)}: acknowledged, but not there when read; it came later", number)
    else:
        found.add(LOST, key, f"{_name(key)}: stored, and gone", number)


def _check_whole(facts: Facts, found: _Found, request: Request) -> None:
    """If any event of a request took effect, all of them are in the last readings of their aggregates.

    Only in the last: a transaction's events become visible one by one while it commits.
    """
    since = _effective_since(facts, request)
    for event in request.events:
        reading = facts.last_reading(key_of(event))
        if reading and since < reading[1].began and not _holds(reading[1], event):
            others = [each for each in request.events if each is not event]
            if any(_is_there_at_last(facts, each) for each in others):
                what = f"{_name(key_of(event))}: missing, while other events of its request are there"
                found.add(TORN, key_of(event), what, reading[0])
            else:
                found.add(LOST, key_of(event), f"{_name(key_of(event))}: stored, and gone", reading[0])


def _check_log(facts: Facts, found: _Found, visible_within: float) -> None:
    for chain in facts.chains:
        _check_chain(chain, found)
    whole = [chain for chain in facts.chains if chain.whole]
    if not whole:
        return
    reference = _Log(max(whole, key=lambda chain: chain.began))
    for chain in facts.chains:
        _compare(chain, reference, facts, found, visible_within)
        _check_freshness(chain, reference, facts, found)
    _check_lost_from_log(facts, reference, found, visible_within)
    _check_real_time(facts, reference, found)
    _check_density(reference, found)


def _check_chain(chain: Chain, found: _Found) -> None:
    """Nothing twice, and versions rise, for one reader."""
    seen: set[Key] = set()
    newest: dict[str, int] = {}
    for number, _, event in chain.events():
        key = key_of(event)
        if key in seen:
            found.add(DOUBLED, key, f"{_name(key)} came twice to one reader of the log", number)
        elif key[1] < newest.get(key[0], 0):
            found.add(REORDERED, key, f"{_name(key)} came after version {newest[key[0]]} in the log", number)
        seen.add(key)
        newest[key[0]] = max(key[1], newest.get(key[0], 0))


class _Log:
    """The last whole reading of the log: the order that all others are held against."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.events: list[Event] = []
        self.place: dict[Key, int] = {}
        self.place_of_offset: dict[str, int] = {}
        for _, _, event in chain.events():
            if key_of(event) not in self.place:
                self.place[key_of(event)] = len(self.events)
                self.place_of_offset[event["offset"]] = len(self.events)
                self.events.append(event)


def _compare(chain: Chain, log: _Log, facts: Facts, found: _Found, visible_within: float) -> None:
    """One reader's view against the last: the same order, and nothing missing that it has passed."""
    furthest, passed_by = -1, [(-1, chain.pages[0])]
    seen: set[Key] = set()
    for number, call, event in chain.events():
        place = log.place.get(key_of(event))
        seen.add(key_of(event))
        if place is None:
            continue
        if place < furthest:
            found.add(REORDERED, key_of(event), f"{_name(key_of(event))}: two readers saw it in two places", number)
        else:
            furthest = place
            passed_by.append((place, (number, call)))
    start = -1 if chain.after is None else log.place_of_offset.get(chain.after)
    if start is None:
        return
    places = [place for place, _ in passed_by]
    for place in range(start + 1, furthest):
        key = key_of(log.events[place])
        if key not in seen:
            number, page = passed_by[bisect_right(places, place)][1]
            if _visible_since(facts, key, found.guarantees, visible_within) < page.began:
                found.add(LOST, key, f"{_name(key)}: in the log, but kept from one reader", number)
            else:
                found.add(LATE, key, f"{_name(key)} appeared where a reader had already passed", number)


def _check_freshness(chain: Chain, log: _Log, facts: Facts, found: _Found) -> None:
    """At each end that a reader reached, whether everything was there that had been acknowledged before."""
    start = -1 if chain.after is None else log.place_of_offset.get(chain.after)
    if start is None:
        return
    expected = sorted(
        (request.acknowledged, key_of(event))
        for request in facts.requests.values()
        if request.acknowledged < inf
        for event in request.events
        if log.place.get(key_of(event), -1) > start
    )
    seen: set[Key] = set()
    due: set[Key] = set()
    upcoming = 0
    furthest = start
    for number, call in chain.pages:
        answer = call.answer or {}
        seen.update(map(key_of, answer["events"]))
        furthest = max([furthest, *(log.place.get(key_of(event), -1) for event in answer["events"])])
        while upcoming < len(expected) and expected[upcoming][0] < call.began:
            due.add(expected[upcoming][1])
            upcoming += 1
        due -= seen
        if not answer["hasMore"]:
            for key in (key for key in due if log.place[key] > furthest):
                found.add(STALE, key, f"{_name(key)}: acknowledged, but not yet in the log", number)


def _check_lost_from_log(facts: Facts, log: _Log, found: _Found, visible_within: float) -> None:
    number = log.chain.pages[-1][0]
    for key in facts.asked:
        unanswered = min((each.ended for each in facts.sightings.get(key, ())), default=inf) + visible_within
        since = min(_visible_since(facts, key, found.guarantees, visible_within), unanswered)
        if since < log.chain.began and key not in log.place:
            found.add(LOST, key, f"{_name(key)}: stored, and not in the log", number)


def _check_real_time(facts: Facts, log: _Log, found: _Found) -> None:
    """No event comes behind one that was begun only after it had been acknowledged."""
    earliest, who = inf, -1
    for place in range(len(log.events) - 1, -1, -1):
        key = key_of(log.events[place])
        requests = facts.sightings[key][0].requests
        began = min((request.began for request in requests), default=0.0)
        if earliest < began:
            earlier = key_of(log.events[who])
            found.add(INVERTED, key, f"{_name(key)} comes before {_name(earlier)}, stored before it was begun")
        acknowledged = min((request.acknowledged for request in requests), default=inf)
        if acknowledged < earliest:
            earliest, who = acknowledged, place


def _check_density(log: _Log, found: _Found) -> None:
    offsets = [event["offset"] for event in log.events]
    if offsets != [str(position) for position in range(1, len(offsets) + 1)]:
        found.add(GAPS, "log", "offsets do not count 1, 2, 3 …", log.chain.pages[0][0])


def _stored_since(facts: Facts, key: Key) -> float:
    """When the event was certainly stored: its writer had been told, or a strong reading had shown it."""
    strong = (each.ended for each in facts.sightings.get(key, ()) if each.strong)
    return min([_acknowledged(facts, key), *strong])


def _visible_since(facts: Facts, key: Key, guarantees: Guarantees, visible_within: float) -> float:
    """When every reader of the log must have been able to see the event."""
    delay = visible_within if guarantees["read_all"] == "eventual" else 0.0
    in_log = (each.ended for each in facts.sightings.get(key, ()) if not each.strong)
    return min([_acknowledged(facts, key), *in_log]) + delay


def _acknowledged(facts: Facts, key: Key) -> float:
    return min((request.acknowledged for request in facts.asked.get(key, ())), default=inf)


def _effective_since(facts: Facts, request: Request) -> float:
    """When it was certain that the request took effect: it was acknowledged, or an event seen that only it gave."""
    sightings = [each for event in request.events for each in facts.sightings.get(key_of(event), ())]
    return min([request.acknowledged, *(each.ended for each in sightings if each.requests == [request])])


def _is_there_at_last(facts: Facts, event: Event) -> bool:
    reading = facts.last_reading(key_of(event))
    return reading is not None and _holds(reading[1], event)


def _holds(call: Call, event: Event) -> bool:
    return any(bare(each) == bare(event) for each in (call.answer or {})["events"])


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _name(key: Key) -> str:
    return f"{key[0]} version {key[1]}"
