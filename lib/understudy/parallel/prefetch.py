"""Items that are made by a thread while the ones before are used: loading hides behind computing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Prefetcher:
    """Items of a function, each made by a thread of its own while the one before is used."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def __call__(self, make: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """make(part) of each part."""
        waiting = None
        for part in parts:
            following = self._pool.submit(make, part)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
