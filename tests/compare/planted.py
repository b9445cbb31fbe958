"""Stores with one defect each, as they would behave towards their clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, ClassVar

from compare.history import checker
from lambdas.eventstore import wire
from lambdas.eventstore.memory import MemoryEventStore

Json = dict[str, Any]
NOW_AND_THEN = 5


class Defect:
    """A correct store, between whose answers and whose clients a defect can be put."""

    shows_as: ClassVar[str]
    breaks: ClassVar[checker.Guarantees] = checker.STRICTEST
    """A sheet that rules it out."""

    def __init__(self) -> None:
        self.store = MemoryEventStore()
        self._appends = count(1)
        self._reads = count(1)

    def answer(self, operation: Any, request: Json) -> Json:
        if operation == "store_events":
            return self.append(request)
        answer = wire.answer(self.store, operation, request)
        if "error" in answer:
            return answer
        return self.aggregate(request, answer) if operation == "get_aggregate_events" else self.log(request, answer)

    def append(self, request: Json) -> Json:
        return self.stored(request)

    def aggregate(self, request: Json, answer: Json) -> Json:
        return answer

    def log(self, request: Json, answer: Json) -> Json:
        return answer

    def stored(self, request: Json) -> Json:
        return wire.answer(self.store, "store_events", request)

    def now_and_then(self, counter: Iterator[int]) -> bool:
        return next(counter) % NOW_AND_THEN == 0


class SkipsAnAppend(Defect):
    """Answers, and forgets what it was given."""

    shows_as = checker.LOST

    def append(self, request: Json) -> Json:
        if not self.now_and_then(self._appends):
            return self.stored(request)
        log, aggregates = list(self.store._log), {key: list(events) for key, events in self.store._aggregates.items()}
        answer = self.stored(request)
        self.store._log[:], self.store._aggregates = log, aggregates
        return answer


class SkipsAnEventOfTheLog(Defect):
    """A page lacks one event in its middle."""

    shows_as = checker.LOST

    def log(self, request: Json, answer: Json) -> Json:
        events = answer["events"]
        if len(events) > 2 and self.now_and_then(self._reads):
            return {**answer, "events": events[:1] + events[2:]}
        return answer


class DoublesAnEventOfTheLog(Defect):
    shows_as = checker.DOUBLED

    def log(self, request: Json, answer: Json) -> Json:
        if answer["events"] and self.now_and_then(self._reads):
            return {**answer, "events": answer["events"][:1] + answer["events"]}
        return answer


class GivesTwoEventsOneId(Defect):
    shows_as = checker.DOUBLED

    def aggregate(self, request: Json, answer: Json) -> Json:
        return {**answer, "events": [{**event, "eventId": "the same"} for event in answer["events"]]}


class SwapsTwoEventsOfTheLog(Defect):
    """For one reader, now and then."""

    shows_as = checker.REORDERED

    def log(self, request: Json, answer: Json) -> Json:
        events = answer["events"]
        if len(events) > 1 and self.now_and_then(self._reads):
            return {**answer, "events": [events[1], events[0], *events[2:]]}
        return answer


class SwapsTwoEventsOfAnAggregate(Defect):
    shows_as = checker.REORDERED

    def aggregate(self, request: Json, answer: Json) -> Json:
        events = answer["events"]
        if len(events) > 1 and self.now_and_then(self._reads):
            return {**answer, "events": [events[1], events[0], *events[2:]]}
        return answer


class Hides(Defect):
    """Some of what was stored shows only some operations later."""

    OPERATIONS = 40

    def __init__(self) -> None:
        super().__init__()
        self._shown_from: dict[str, int] = {}
        self._now = 0

    def answer(self, operation: Any, request: Json) -> Json:
        self._now += 1
        return super().answer(operation, request)

    def append(self, request: Json) -> Json:
        answer = self.stored(request)
        if self.now_and_then(self._appends):
            for event in answer.get("events", ()):
                self._shown_from.setdefault(event["eventId"], self._now + self.OPERATIONS)
        return answer

    def rest(self) -> None:
        self._shown_from.clear()

    def hidden(self, event: Json) -> bool:
        return self._now < self._shown_from.get(event["eventId"], 0)


class AnswersBeforeItIsDurable(Hides):
    shows_as = checker.NOT_DURABLE

    def aggregate(self, request: Json, answer: Json) -> Json:
        events = answer["events"]
        for index, event in enumerate(events):
            if self.hidden(event):
                return {"events": events[:index], "nextVersion": None}
        return answer

    def log(self, request: Json, answer: Json) -> Json:
        return _cut(request, answer, self)


class ShowsTheLogWithADelay(Hides):
    """Readers find its end before the newest events."""

    shows_as = checker.STALE

    def log(self, request: Json, answer: Json) -> Json:
        return _cut(request, answer, self)


class ShowsAnEventLate(Hides):
    """Readers pass the place of an event that is not there yet."""

    shows_as = checker.LATE
    breaks: ClassVar = {**checker.STRICTEST, "read_all": "eventual"}

    def log(self, request: Json, answer: Json) -> Json:
        events = [event for event in answer["events"] if not self.hidden(event)]
        return {**answer, "events": events, "next": events[-1]["offset"] if events else request.get("after")}


class StoresAHalf(Defect):
    """Fails in the middle of a request, and leaves the first event behind."""

    shows_as = checker.TORN

    def append(self, request: Json) -> Json:
        if len(request["events"]) > 1 and self.now_and_then(self._appends):
            self.stored({"events": request["events"][:1]})
            raise OSError
        return self.stored(request)


class OrdersByNoClock(Defect):
    """One order for all readers, which never changes, but not that of time."""

    shows_as = checker.INVERTED

    def append(self, request: Json) -> Json:
        answer, log = self.stored(request), self.store._log
        if len(log) > 1 and log[-2].aggregate_id != log[-1].aggregate_id:
            log[-2:] = [log[-1], log[-2]]
        return _without_offsets(answer)

    def log(self, request: Json, answer: Json) -> Json:
        """Whole each time: pages of a log that moves would lose events."""
        events = [{**event.to_wire(), "offset": event.event_id} for event in self.store._log]
        return {"events": events, "next": None, "hasMore": False}

    def aggregate(self, request: Json, answer: Json) -> Json:
        return _without_offsets(answer)


class CountsByTwo(Defect):
    shows_as = checker.GAPS

    def answer(self, operation: Any, request: Json) -> Json:
        if "after" in request:
            request = {**request, "after": str(int(request["after"]) // 2)}
        answer = super().answer(operation, request)
        events = [{**event, "offset": str(int(event["offset"]) * 2)} for event in answer.get("events", ())]
        following = {"next": str(int(answer["next"]) * 2)} if answer.get("next") else {}
        return {**answer, **({"events": events} if "events" in answer else {}), **following}


class ForgesMetadata(Defect):
    shows_as = checker.ALTERED

    def aggregate(self, request: Json, answer: Json) -> Json:
        if self.now_and_then(self._reads):
            return {**answer, "events": [{**event, "metadata": {}} for event in answer["events"]]}
        return answer


class StoresWhatItRefuses(Defect):
    shows_as = checker.INVENTED

    def append(self, request: Json) -> Json:
        answer = self.stored(request)
        if "events" in answer and self.now_and_then(self._appends):
            first = request["events"][0]
            error = {
                "code": "VersionConflict",
                "aggregateId": first["aggregateId"],
                "expectedVersion": first["aggregateVersion"] - 1,
                "currentVersion": first["aggregateVersion"],
            }
            return {"error": error}
        return answer


class KnowsNoRequestAgain(Defect):
    shows_as = checker.WRONGLY_REFUSED

    def append(self, request: Json) -> Json:
        self.store._requests.clear()
        return self.stored(request)


class RefusesWithAnOldVersion(Defect):
    shows_as = checker.WRONGLY_REFUSED

    def append(self, request: Json) -> Json:
        answer = self.stored(request)
        if "error" in answer and answer["error"]["currentVersion"] > 1:
            return {"error": {**answer["error"], "currentVersion": answer["error"]["currentVersion"] - 1}}
        return answer


def _without_offsets(answer: Json) -> Json:
    if "error" in answer:
        return answer
    return {**answer, "events": [{**event, "offset": event["eventId"]} for event in answer["events"]]}


def _cut(request: Json, answer: Json, store: Hides) -> Json:
    """The page, ending before the first hidden event."""
    events = answer["events"]
    for index, event in enumerate(events):
        if store.hidden(event):
            kept = events[:index]
            return {"events": kept, "next": kept[-1]["offset"] if kept else request.get("after"), "hasMore": False}
    return answer


PLANTED: Sequence[type[Defect]] = (
    SkipsAnAppend,
    SkipsAnEventOfTheLog,
    DoublesAnEventOfTheLog,
    GivesTwoEventsOneId,
    SwapsTwoEventsOfTheLog,
    SwapsTwoEventsOfAnAggregate,
    AnswersBeforeItIsDurable,
    ShowsTheLogWithADelay,
    ShowsAnEventLate,
    StoresAHalf,
    OrdersByNoClock,
    CountsByTwo,
    ForgesMetadata,
    StoresWhatItRefuses,
    KnowsNoRequestAgain,
    RefusesWithAnOldVersion,
)
