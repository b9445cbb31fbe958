"""A model of the protocol of `log_first`, small enough that every state it can reach is looked at.

Writers commit a request by one conditional put of a page behind the last one, and put its events into the table
afterwards; who finds the last page's events missing there puts them first. Readers of an aggregate read the last page,
then the table. A step is one request to DynamoDB, which takes effect as a whole; of the events of a page, which are put
in parallel, each is a step of its own. Between any two steps a process may die, and a put that it has sent may still
land, at any later moment; an answer may be lost, whereupon the SDK sends the request again.

Where writers combine, one may leave its request among the pending ones, and go on trying or wait for another to store
it: who commits takes along those that fit what is stored.

`explore` goes through all orders of all steps, breadth first, and fails at the first state that breaks a promise.
`WITHOUT` names the parts of the protocol that can be left out, to see that each of them is needed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

Key = tuple[str, int]
"""Of an event: aggregate and version."""

WITHOUT = {
    "help": "the next writer puts the last page's events into the table, if they are missing there",
    "tail first": "heads are read after the last page, not before",
    "the same tail": "heads that were read before are good only if the last page is the same as then",
    "the last put last": "the last event of a page is put when all others are stored, so it tells for all",
    "a free position": "a page is put only if its position is free",
    "body first": "what does not fit a page is stored before the page that refers to it",
    "own events": "a writer whose answer was lost recognises its own events",
    "request id": "a repeated request is recognised by its id",
    "starting over": "a writer that sees a part of its own request stored begins again, and so puts the rest",
    "merging": "a reader of an aggregate adds the last page's events to those in the table",
    "reading the tail first": "a reader reads the last page before the table, not after",
    "stopping at the tail": "a reader shows no event of a page behind the last one that it has read",
    "stored versions": "a request may be pending only when the versions that it builds on are in the log",
    "fitting": "a pending request is taken along only if the versions that it names are free in the table",
    "fitting after the tail": "whether they are is read after the last page, not before",
    "one after the other": "and if no request that goes before it in the page names one of them",
}


@dataclass(frozen=True)
class Universe:
    """Who works at the same time. `requests` are the keys of the events of each writer, by its name.

    Writers whose names differ only by quotes are attempts of one request, with one request id. `large` ones need a
    body of two items. `loaders` read their aggregates before they write. `readers` read the aggregates of these names,
    and "*" the log. `combining` ones may leave their requests pending; of those, some are `removed` by others, who
    take them for dead.
    """

    requests: Mapping[str, Sequence[Key]]
    readers: str = ""
    large: str = ""
    loaders: str = ""
    combining: Collection[str] = ""
    removed: int = 0
    crashes: int = 1
    lost_answers: int = 1


class State(NamedTuple):
    log: tuple[tuple[str, ...], ...]
    """Whose requests each page holds."""
    table: frozenset[tuple[Key, str]]
    """Events, each with the writer whose request it belongs to."""
    bodies: frozenset[tuple[str, int]]
    flying: frozenset[tuple[Any, ...]]
    """Puts of processes that are dead, and of lost answers, still to land: ("page", position, writers), ("event", key,
    writer) or ("pending", writer)."""
    pending: frozenset[str]
    processes: tuple[tuple[Any, ...], ...]
    """Of each writer, then of each reader: the name of its next step, and what it knows."""
    crashes: int
    lost_answers: int
    removed: int


class Broken(Exception):
    """A promise does not hold in a state that can be reached."""


def explore(universe: Universe, without: str = "") -> int:
    """Look at every state; answer with how many there are.

    Raises:
        Broken: says which promise, and by which steps.
    """
    assert without in {"", *WITHOUT}
    world = _World(universe, without)
    parents: dict[State, State | None] = {world.beginning: None}
    queue = deque(parents)
    while queue:
        state = queue.popleft()
        try:
            world.check(state)
            following = list(world.steps(state))
        except Broken as broken:
            raise Broken(f"{broken}: {' > '.join(_path(parents, state))}") from None
        for then in following:
            if then not in parents:
                parents[then] = state
                queue.append(then)
    return len(parents)


def _path(parents: Mapping[State, State | None], state: State | None) -> list[str]:
    path: list[str] = []
    while state and (before := parents[state]):
        moved = [str(new) for new, old in zip(state.processes, before.processes, strict=True) if new != old]
        path.insert(0, ", ".join(moved) or "a late put lands")
        state = before
    return path


class _World:
    def __init__(self, universe: Universe, without: str) -> None:
        self._events = {writer: tuple(keys) for writer, keys in universe.requests.items()}
        self._writers = tuple(universe.requests)
        self._readers = universe.readers
        self._large = universe.large
        self._combining = universe.combining
        self._without = without
        processes = [
            *(("load", -1, ()) if writer in universe.loaders else self._start() for writer in self._writers),
            *(("read", (), -1, -1) for _ in self._readers),
        ]
        nothing: frozenset[Any] = frozenset()
        self.beginning = State(
            log=(),
            table=nothing,
            bodies=nothing,
            flying=nothing,
            pending=nothing,
            processes=tuple(processes),
            crashes=universe.crashes,
            lost_answers=universe.lost_answers,
            removed=universe.removed,
        )

    def _start(self) -> tuple[Any, ...]:
        return "heads first" if self._without == "tail first" else "tail", ()

    # What must hold in each state.

    def check(self, state: State) -> None:
        order = self._check_log(state.log)
        if not state.table <= self._in_pages(state.log):
            raise Broken("the table has an event that no page has")
        if not self._in_pages(state.log[:-1]) <= state.table:
            raise Broken("a page before the last has an event that the table has not")
        for writer in order:
            if writer in self._large and not {(writer, 0), (writer, 1)} <= state.bodies:
                raise Broken("a page refers to a body that is not stored")
        for writer, (step, *_) in zip(self._writers, state.processes, strict=False):
            if step == "stored" and not any(_same_request(writer, other) for other in order):
                raise Broken("a request is answered and not stored")
            if step == "refused" and writer in order:
                raise Broken("a request is refused and stored")

    @cache  # noqa: B019  # one world, one exploration
    def _check_log(self, log: tuple[tuple[str, ...], ...]) -> list[str]:
        """Whose requests it holds, in order."""
        order = [writer for page in log for writer in page]
        if len({writer.rstrip("'") for writer in order}) < len(order):
            raise Broken("a request is stored twice")
        reached: dict[str, int] = {}
        for writer in order:
            for aggregate, version in self._events[writer]:
                if version != reached.get(aggregate, 0) + 1:
                    raise Broken("versions of an aggregate do not follow one another")
                reached[aggregate] = version
        return order

    @cache  # noqa: B019
    def _in_pages(self, log: tuple[tuple[str, ...], ...]) -> frozenset[tuple[Key, str]]:
        return frozenset((key, writer) for page in log for writer, key in self._keys(page))

    def _keys(self, page: Sequence[str]) -> list[tuple[str, Key]]:
        """The events of a page in its order, each with its writer."""
        return [(writer, key) for writer in page for key in self._events[writer]]

    # What can happen next.

    def steps(self, state: State) -> Iterator[State]:
        for put in state.flying:
            yield self._landed(state._replace(flying=state.flying - {put}), put)
        if state.removed:
            for writer in state.pending:
                yield state._replace(pending=state.pending - {writer}, removed=state.removed - 1)
        for number, process in enumerate(state.processes):
            step = process[0]
            if step in ("stored", "refused", "dead", "done"):
                continue
            if number >= len(self._writers):
                yield self._read(state, number, process)
                continue
            if state.crashes:
                crashed = _moved(state, number, ("dead",))._replace(crashes=state.crashes - 1)
                yield crashed
                for put in self._sent(self._writers[number], process):
                    yield crashed._replace(flying=state.flying | {put})
            yield from self._write(state, number, self._writers[number], process)

    def _sent(self, writer: str, process: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """The puts that may be on their way when a writer dies at this step."""
        match process:
            case ("commit", page, position):
                yield "page", position, page
            case ("pend",):
                yield "pending", writer
            case ("settle" | "finish", _, page, done, *_) if page:
                yield from (("event", key, owner) for owner, key in self._next_puts(page, done))

    def _landed(self, state: State, put: tuple[Any, ...]) -> State:
        match put:
            case ("page", position, page):
                return self._committed(state, position, page)
            case ("event", key, writer):
                return _stored(state, key, writer)
            case ("pending", writer):
                return state._replace(pending=state.pending | {writer})
        raise AssertionError(put)

    def _committed(self, state: State, position: int, page: tuple[str, ...]) -> State:
        if len(state.log) == position:
            return state._replace(log=(*state.log, page))
        if self._without == "a free position":
            return state._replace(log=(*state.log[:position], page, *state.log[position + 1 :]))
        return state

    def _next_puts(self, page: tuple[str, ...], done: frozenset[Key]) -> Sequence[tuple[str, Key]]:
        """The events of a page that can be put now, in parallel, each with its writer."""
        *others, last = self._keys(page)
        if self._without == "the last put last":
            return [each for each in (*others, last) if each[1] not in done]
        return [each for each in others if each[1] not in done] or [last]

    def _write(self, state: State, number: int, writer: str, process: tuple[Any, ...]) -> Iterator[State]:
        def then(*process: Any, of: State = state) -> State:
            return _moved(of, number, process)

        aggregates = sorted({aggregate for aggregate, _ in self._events[writer]})
        match process:
            case ("heads first", heads):  # only without "tail first"
                heads = (*heads, _head(state, aggregates[len(heads)]))
                yield then(*(("tail", heads) if len(heads) == len(aggregates) else ("heads first", heads)))
            case ("load", -1, ()):
                yield then("load", len(state.log), ())
            case ("load", position, heads):
                aggregate = aggregates[len(heads)]
                owners = dict.fromkeys(range(1, 4), "") | {v: o for (a, v), o in state.table if a == aggregate}
                heads = (*heads, len(self._merged(aggregate, list(owners.values()), state.log[:position])))
                done = len(heads) == len(aggregates)
                yield then(*(("tail", (position, heads)) if done else ("load", position, heads)))
            case ("tail", (int() as read_at, tuple() as heads)):
                same = read_at == len(state.log) or self._without == "the same tail"
                yield from self._write(state, number, writer, ("tail", heads if same else ()))
            case ("tail", kept):
                if writer in self._combining and writer not in state.pending and self._may_wait(state, writer):
                    yield then("pend")
                page = state.log[-1] if state.log else ()
                settled = not page or self._without == "help" or self._keys(page)[-1][::-1] in state.table
                # To look for the last page's last event is a step of its own; one that finds it later is as good.
                if settled:
                    yield then("heads", kept, len(state.log), ())
                else:
                    yield then("settle", kept, page, frozenset(), len(state.log))
            case ("settle", kept, page, done, position):
                for owner, key in self._next_puts(page, done):
                    put = _stored(state, key, owner)
                    if len(done) + 1 == len(self._keys(page)):
                        yield then("heads", kept, position, (), of=put)
                    else:
                        yield then("settle", kept, page, done | {key}, position, of=put)
            case ("heads", kept, position, heads):
                if kept:
                    yield from self._decided(state, number, writer, position, kept)
                    return
                heads = (*heads, _head(state, aggregates[len(heads)]))
                if len(heads) < len(aggregates):
                    yield then("heads", kept, position, heads)
                else:
                    yield from self._decided(state, number, writer, position, heads)
            case ("look",):
                found = [owner for key, owner in state.table if key in self._events[writer]]
                own = [owner for owner in found if self._recognises(writer, owner)]
                if len(own) == len(self._events[writer]):
                    yield self._answered(state, number, writer, "stored")
                elif own and self._without != "starting over":
                    yield then("tail", ())
                elif any(_same_request(writer, owner) for owner in found):
                    raise Broken("a request is refused and stored")
                else:
                    yield self._answered(state, number, writer, "refused")
            case ("body", position, part):
                put = state._replace(bodies=state.bodies | {(writer, part)})
                following = ("commit", (writer,), position) if self._without != "body first" else ("stored",)
                yield then(*(("body", position, 1) if part == 0 else following), of=put)
            case ("commit", page, position):
                committed = self._committed(state, position, page)
                if committed is state:
                    yield then("tail", ())
                    return
                yield then("finish", (), page, frozenset(), of=committed)
                if state.lost_answers:  # … and sent again: the position is taken.
                    yield then("tail", (), of=committed._replace(lost_answers=state.lost_answers - 1))
            case ("finish", _, page, done):
                for owner, key in self._next_puts(page, done):
                    put = _stored(state, key, owner)
                    if len(done) + 1 < len(self._keys(page)):
                        yield then("finish", (), page, done | {key}, of=put)
                    elif writer in self._large and self._without == "body first":
                        yield then("body", 0, 0, of=put)
                    else:
                        yield self._answered(put, number, writer, "stored")
            case ("pend",):
                put = state._replace(pending=state.pending | {writer})
                yield then("wait", of=put)
                if state.lost_answers:  # … and sent again; the first may take its time.
                    late = put._replace(
                        lost_answers=state.lost_answers - 1, flying=state.flying | {("pending", writer)}
                    )
                    yield then("wait", of=late)
            case ("wait",):
                yield then("tail", ())
                owner = next((owner for key, owner in state.table if key == self._events[writer][0]), "")
                if owner == writer:
                    yield self._answered(state, number, writer, "stored")
            case ("combine", page, position):
                # The pending requests are read at one moment, and whether they fit at another.
                yield then("fit", (*page, *sorted(state.pending)), position)
            case ("fit", (own, *others), position):
                taken_along, named = [own], set(self._events[own])
                for other in others:
                    apart = self._without == "one after the other" or named.isdisjoint(self._events[other])
                    if apart and self._fits(state, other):
                        taken_along.append(other)
                        named |= set(self._events[other])
                yield then("commit", tuple(taken_along), position)

    def _may_wait(self, state: State, writer: str) -> bool:
        if self._without == "stored versions":
            return True
        names = set(self._events[writer])
        builds_on = {(aggregate, version - 1) for aggregate, version in names if version > 1} - names
        return builds_on <= {key for key, _ in self._in_pages(state.log)}

    def _fits(self, state: State, writer: str) -> bool:
        """Whether all that the request names is free. What it builds on was stored before it was pending."""
        early = self._without == "fitting after the tail" and state.log
        unseen = state.log[-1] if early else ()
        taken = {key for key, owner in state.table if owner not in unseen}
        return self._without == "fitting" or taken.isdisjoint(self._events[writer])

    def _answered(self, state: State, number: int, writer: str, answer: str) -> State:
        return _moved(state._replace(pending=state.pending - {writer}), number, (answer,))

    def _decided(self, state: State, number: int, writer: str, position: int, heads: Sequence[int]) -> Iterator[State]:
        """Commits if every aggregate is where the request assumes it; else looks for its own events."""
        at = dict(zip(sorted({aggregate for aggregate, _ in self._events[writer]}), heads, strict=True))
        first = dict(reversed(self._events[writer]))
        if all(at[aggregate] == version - 1 for aggregate, version in first.items()):
            begun = (writer, 0) in state.bodies
            body = writer in self._large and self._without != "body first" and not begun
            yield _moved(state, number, ("body", position, 0) if body else ("commit", (writer,), position))
            if self._combining and not body and state.pending - {writer}:
                yield _moved(state, number, ("combine", (writer,), position))
        else:
            yield _moved(state, number, ("look",))

    def _recognises(self, writer: str, owner: str) -> bool:
        if owner == writer:
            return self._without != "own events"
        return self._without != "request id" and _same_request(writer, owner)

    def _read(self, state: State, number: int, process: tuple[Any, ...]) -> State:
        name = self._readers[number - len(self._writers)]
        _, seen, began, tail = process
        began = len(state.log) if began < 0 else began
        if name == "*":
            return self._read_log(state, number, seen, began)
        late = self._without == "reading the tail first"
        versions = [version for keys in self._events.values() for aggregate, version in keys if aggregate == name]
        if tail < 0 and not (late and len(seen) < max(versions)):
            tail = len(state.log)
        elif len(seen) < max(versions):
            key = (name, len(seen) + 1)
            seen = (*seen, next((owner for other, owner in state.table if other == key), ""))
        if tail < 0 or len(seen) < max(versions):
            return _moved(state, number, ("read", seen, began, tail))
        self._check_read(state, name, self._merged(name, seen, state.log[:tail]), began)
        return _moved(state, number, ("done",))

    def _merged(self, aggregate: str, seen: Sequence[str], log: Sequence[tuple[str, ...]]) -> list[str]:
        """Whose events a reader shows, of what it has seen in the table and at the end of the log, up to a gap."""
        last = log[-1] if log and self._without != "merging" else ()
        of_last = {version: owner for owner, (other, version) in self._keys(last) if other == aggregate}
        read = {owner for page in log for owner in page}
        shown: list[str] = []
        for version, owner in enumerate(seen, 1):
            if owner not in read and self._without != "stopping at the tail":
                owner = ""
            if not (owner := owner or of_last.get(version, "")):
                break
            shown.append(owner)
        return shown

    def _check_read(self, state: State, aggregate: str, shown: Sequence[str], began: int) -> None:
        for length in range(began, len(state.log) + 1):
            events = [
                writer for page in state.log[:length] for writer, (other, _) in self._keys(page) if other == aggregate
            ]
            if events == list(shown):
                return
        raise Broken(f"a reader of {aggregate} saw {shown}, which at no moment of its read was all of it")

    def _read_log(self, state: State, number: int, seen: tuple[tuple[str, ...], ...], began: int) -> State:
        """Page by page: each request for a page that is there sees it as it is, and its body."""
        if len(seen) < len(state.log):
            return _moved(state, number, ("read", (*seen, state.log[len(seen)]), began, 0))
        if seen != state.log:
            raise Broken("a reader has seen pages that are not in the log")
        return _moved(state, number, ("done",))


def _moved(state: State, number: int, process: tuple[Any, ...]) -> State:
    return state._replace(processes=(*state.processes[:number], process, *state.processes[number + 1 :]))


def _stored(state: State, key: Key, writer: str) -> State:
    """The table once an event is put, on the condition that its version is free."""
    if any(other == key for other, _ in state.table):
        return state
    return state._replace(table=state.table | {(key, writer)})


def _head(state: State, aggregate: str) -> int:
    return max((version for (other, version), _ in state.table if other == aggregate), default=0)


def _same_request(writer: str, other: str) -> bool:
    return writer.rstrip("'") == other.rstrip("'")
