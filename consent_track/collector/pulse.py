"""A background thread that does one small duty again and again, in every process that wants it.

Threads do not survive a fork: a server that loads us first and forks its workers later would leave them without one.
So `ensure` is asked at the first request, and starts a thread only if this very process has none.
"""

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

log: Final = logging.getLogger("consent_track.collector")


class Pulse:
    """Runs `duty` every `every` seconds, at once when it returns True (there is more to do), until stopped."""

    def __init__(self, name: str, duty: Callable[[], bool | None], every: float) -> None:
        self._name = name
        self._duty = duty
        self._every = every
        self.failing = False
        self._threads: dict[int, tuple[threading.Thread, threading.Event]] = {}

    def ensure(self) -> None:
        """Start the thread of this process unless it has one. Safe to call from several threads and after a fork."""
        pid = os.getpid()
        if pid in self._threads:
            return
        stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopped,), name=self._name, daemon=True)
        # dict.setdefault is one step under the interpreter lock: of two threads that come together, one wins.
        if self._threads.setdefault(pid, (thread, stopped))[0] is thread:
            thread.start()

    def stop(self, wait: float = 5.0) -> None:
        """Stop the thread of this process, if there is one, and wait for it. Seconds."""
        thread, stopped = self._threads.pop(os.getpid(), (None, None))
        if thread is not None and stopped is not None:
            stopped.set()
            if thread is not threading.current_thread() and thread.is_alive():
                thread.join(wait)

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            more = self.beat()
            if not more:
                stopped.wait(self._every)

    def beat(self) -> bool:
        """Do the duty once. What it raises never ends the thread.

        A failure is logged by its type, because the text of an error may hold a row about a person, and only when it
        begins, because a database that is down fails ten times a second.
        """
        try:
            more = bool(self._duty())
        except Exception as error:
            if not self.failing:
                log.warning("%s: %s", self._name, type(error).__name__)
            self.failing = True
            return False
        self.failing = False
        return more
