"""Runs several workers one AWS call at a time, in every order that there is, or in those that the test chooses.

Each worker is a thread that stops before each of its calls. A turn lets it make that call, and run on to the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from queue import Queue

TURNS = 200
"""More than any schedule takes: a run that needs more never ends."""

SECONDS = 20.0

Workers = Mapping[str, Callable[[], object]]
Choice = tuple[str, list[str]]
"""Who had the turn, and who could have had it."""


class Turns:
    """One run of the workers."""

    def __init__(self) -> None:
        self._go: dict[str, threading.Semaphore] = {}
        self._stopped: Queue[bool] = Queue()
        self._failures: list[BaseException] = []

    def before_call(self) -> None:
        """A worker stops here until it has a turn. Other threads go on."""
        if go := self._go.get(threading.current_thread().name):
            self._stopped.put(False)
            go.acquire()

    def run(self, workers: Workers, schedule: str) -> list[Choice]:
        """Gives turns to the workers that `schedule` names by a letter each, and then to the first that is not done.

        Answers with the choices that were made.
        """
        running = list(workers)
        for name, work in workers.items():
            self._go[name] = threading.Semaphore(0)
            threading.Thread(target=self._work, name=name, args=(work,), daemon=True).start()
            self._await(name, running)
        choices: list[Choice] = []
        turns = (name for name in schedule)
        while running:
            assert len(choices) < TURNS, f"{running} come to no end after {schedule}"
            name = next((name for name in turns if name in running), running[0])
            choices.append((name, list(running)))
            self._go[name].release()
            self._await(name, running)
        if self._failures:
            raise self._failures[0]
        return choices

    def _await(self, name: str, running: list[str]) -> None:
        if self._stopped.get(timeout=SECONDS):
            running.remove(name)

    def _work(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as failure:
            self._failures.append(failure)
        self._stopped.put(True)


def every_schedule(run: Callable[[str], list[Choice]]) -> Iterator[str]:
    """Every order that there is: runs each, and yields it when it is done.

    `run` follows the schedule that it is given as far as that goes, and answers with the choices made.
    """
    prefixes = [""]
    while prefixes:
        prefix = prefixes.pop()
        choices = run(prefix)
        taken = "".join(name for name, _ in choices)
        yield taken
        for turn in range(len(prefix), len(choices)):
            prefixes += [taken[:turn] + other for other in choices[turn][1] if other != choices[turn][0]]
