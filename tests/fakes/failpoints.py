"""Failpoints: every call that leaves the service fails in its turn, in both ways.

A call leaves the service where it is answered by something that may be away: a blob store, a key place, a root key, an
anchor, a database. `REGISTRY` names each such call and the error that its protocol promises; a call without a failpoint
is refused, and a test compares the registry with the protocols, so that a new method cannot be forgotten.

    points = Failpoints()
    with watching(points), wiring.open_installation(settings) as services:
        points.arm(2, stored=True)    # the third call from here on happens, and fails all the same
        work(services)
        points.hit                    # "KeyPlace.put": that was it; "" where there were no three

*Failed*: nothing happened. *Failed but done* (``stored``): it happened, and the answer was lost. What promises never to
raise tells a failure in its own way: a deletion reports it, an abort leaves something behind, a close does nothing.
"""

from __future__ import annotations

import inspect
import os
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Protocol

import pytest

from service import wiring
from service.anchors.store import Anchors
from service.blobs.store import BlobReader, BlobStore, BlobWriter, DeletionReport, LeavesAside
from service.crypto.kms import RootKey
from service.crypto.places import KeyPlace
from service.crypto.roots import ChangingRoot
from service.db.session import Cursor
from service.errors import KeyPlaceError, RootKeyError, StoreUnavailableError, UnavailableError
from service.services import Services
from tests.fakes.database import FaultyDatabase
from tests.fakes.faults import Faults

SILENT: Final = None
"""The error of a call that promises never to raise."""

REGISTRY: Final = MappingProxyType(
    {
        "BlobStore.create": StoreUnavailableError,
        "BlobStore.open": StoreUnavailableError,
        "BlobStore.delete": SILENT,
        "BlobStore.list": StoreUnavailableError,
        "BlobWriter.write": StoreUnavailableError,
        "BlobWriter.commit": StoreUnavailableError,
        "BlobWriter.abort": SILENT,
        "BlobReader.read_at": StoreUnavailableError,
        "BlobReader.close": SILENT,
        "KeyPlace.put": KeyPlaceError,
        "KeyPlace.get": KeyPlaceError,
        "KeyPlace.replace": KeyPlaceError,
        "KeyPlace.delete": KeyPlaceError,
        "KeyPlace.list": KeyPlaceError,
        "RootKey.wrap": RootKeyError,
        "RootKey.unwrap": RootKeyError,
        "RootKey.check": RootKeyError,
        "Anchors.put": UnavailableError,
        "Anchors.newest": UnavailableError,
        "Anchors.all": UnavailableError,
        # The ledger's own connection, and all others. A driver's error takes the place of None.
        **{f"Ledger.{call}": SILENT for call in ("begin", "execute", "fetch", "commit")},
        **{f"Reads.{call}": SILENT for call in ("begin", "execute", "fetch", "rollback")},
        "Ledger.connect": UnavailableError,
        "Reads.connect": UnavailableError,
    }
)


class _Store(BlobStore, LeavesAside, Protocol):
    """All that the service calls of a blob store."""


PROTOCOLS: Final = MappingProxyType(
    {
        "BlobStore": _Store,
        "BlobWriter": BlobWriter,
        "BlobReader": BlobReader,
        "KeyPlace": KeyPlace,
        "RootKey": RootKey,
        "Anchors": Anchors,
    }
)
UNCALLED: Final = MappingProxyType(
    {
        "RootKey.describe": "says what is known already, and asks nobody",
        "BlobStore.aside": "the doctor's alone, who names a store that does not answer",
        "BlobStore.sweep": "the repair's alone; what stays is swept the next time",
    }
)
MAKES: Final = MappingProxyType({"BlobStore.create": "BlobWriter", "BlobStore.open": "BlobReader"})
CURSOR_CALLS: Final = MappingProxyType(
    {"execute": "execute", "executemany": "execute", "fetchall": "fetch", "fetchone": "fetch"}
)


def methods(protocol: type[object]) -> set[str]:
    """The methods that a protocol has, by looking at it."""
    return {name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_")}


def cursor_methods() -> set[str]:
    """The methods of a database's cursor that the service calls."""
    return methods(Cursor)


@dataclass(frozen=True, slots=True)
class _Armed:
    """Which call fails, and how."""

    target: int
    stored: bool
    only: Collection[str]
    deadly: bool


class Failpoints:
    """Counts the calls that leave the service, from several threads, and lets one of them fail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: _Armed | None = None
        self._due: tuple[str, int] | None = None
        self.count = 0
        self.hit = ""
        self.visited: Counter[tuple[str, bool]] = Counter()
        self.trace: list[str] | None = None  # where a list is put here, every call is noted in it

    def arm(self, target: int, *, stored: bool, only: Collection[str] = (), deadly: bool = False) -> None:
        """Let the call number ``target`` from now on fail, of all calls or ``only`` of these.

        Args:
            deadly: the process is killed there instead.
        """
        with self._lock:
            self._armed, self._due = _Armed(target, stored, only, deadly), None
            self.count, self.hit = 0, ""

    def disarm(self) -> None:
        """Let everything succeed; go on counting."""
        with self._lock:
            self._armed = self._due = None

    def before(self, call: str) -> bool:
        """Say whether this call must fail before anything happens."""
        if call not in REGISTRY:
            raise AssertionError(f"{call} leaves the service and has no failpoint")
        with self._lock:
            armed = self._armed
            if self.trace is not None:
                self.trace.append(call)
            if self._due is not None and self._due[1] == threading.get_ident():
                self._due = None  # that call raised an error of its own
            if armed is None or (armed.only and call not in armed.only):
                return False
            number, self.count = self.count, self.count + 1
            if number != armed.target:
                return False
            self.hit = call
            self.visited[call, armed.stored] += 1
            if armed.stored:
                self._due = (call, threading.get_ident())
                return False
        return _happens(armed)

    def after(self, call: str) -> bool:
        """Say whether this call must fail although it happened."""
        with self._lock:
            if self._armed is None or self._due != (call, threading.get_ident()):
                return False
            self._due, armed = None, self._armed
        return _happens(armed)


def _happens(armed: _Armed) -> bool:
    if armed.deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


# Watching what the service calls --------------------------------------------------------------------------------------


@contextmanager
def watching(points: Failpoints) -> Iterator[None]:
    """Let installations that are opened meanwhile call nothing but through failpoints."""
    original = wiring.wire

    def wire(*given: Any, **named: Any) -> tuple[Services, str]:
        services, instance = original(*given, **named)
        return watched(services, points), instance

    with pytest.MonkeyPatch.context() as patch:
        if not issubclass(vars(wiring)["Database"], FaultyDatabase):  # else it watches already
            patch.setattr(wiring, "Database", FaultyDatabase)
        patch.setattr(wiring, "wire", wire)
        yield


def watched(services: Services, points: Failpoints) -> Services:
    """Put a failpoint before everything that these services stand on."""
    database = services.database
    assert isinstance(database, FaultyDatabase)
    database.faults = _OfDatabase(points, database.error)
    keys = services.keys
    root = keys._root
    if isinstance(root, ChangingRoot):
        keys._root = ChangingRoot(Watched(root.new, "RootKey", points), Watched(root.old, "RootKey", points))
    else:
        keys._root = Watched(root, "RootKey", points)
    keys._places = tuple(Watched(place, "KeyPlace", points) for place in keys._places)
    blobs, anchors = Watched(services.blobs, "BlobStore", points), Watched(services.anchors, "Anchors", points)
    return replace(services, blobs=blobs, anchors=anchors)


class Watched:
    """Something that satisfies a protocol, with a failpoint before and after each of its methods."""

    def __init__(self, inner: Any, protocol: str, points: Failpoints) -> None:
        self._inner, self._protocol, self._points = inner, protocol, points

    def __getattr__(self, name: str) -> Any:
        found, call = getattr(self._inner, name), f"{self._protocol}.{name}"
        if not callable(found) or call in UNCALLED:
            return found
        if inspect.isasyncgenfunction(found):
            return self._listing(call, found)
        if inspect.iscoroutinefunction(found):
            return self._asynchronous(call, found)
        return self._blocking(call, found)

    def _blocking(self, call: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def watched_call(*given: Any) -> Any:
            if self._points.before(call):
                raise _error(call)
            try:
                result = act(*given)
                if inspect.isgenerator(result):
                    result = iter(list(result))  # so that it happens here
            finally:  # a refusal may be lost on the way as well as a result
                if self._points.after(call):
                    raise _error(call)
            return result

        return watched_call

    def _asynchronous(self, call: str, act: Callable[..., Any]) -> Callable[..., Any]:
        async def watched_call(*given: Any) -> Any:
            given = tuple(list(each) if isinstance(each, Iterable) and not _is_text(each) else each for each in given)
            if self._points.before(call):
                return _failure(call, given)
            try:
                result = await act(*given)
            except Exception:
                if self._points.after(call):
                    return _failure(call, given)
                raise
            if self._points.after(call):
                return _failure(call, given)
            makes = MAKES.get(call)
            return result if makes is None else Watched(result, makes, self._points)

        return watched_call

    def _listing(self, call: str, act: Callable[..., Any]) -> Callable[..., Any]:
        async def watched_call(*given: Any) -> AsyncIterator[Any]:
            if self._points.before(call):
                raise _error(call)
            async for each in act(*given):
                yield each
            if self._points.after(call):
                raise _error(call)

        return watched_call


def _is_text(given: object) -> bool:
    return isinstance(given, str | bytes | bytearray | memoryview)


def _error(call: str) -> Exception:
    error = REGISTRY[call]
    assert error is not None
    return error()


def _failure(call: str, given: tuple[Any, ...]) -> Any:
    """How a call fails that may promise never to raise."""
    if call == "BlobStore.delete":
        return DeletionReport((), (), tuple(given[0]))
    if REGISTRY[call] is SILENT:
        return None
    raise _error(call)


class _OfDatabase(Faults):
    """The faults of a database: its connections are told apart by whose they are."""

    def __init__(self, points: Failpoints, error: type[Exception]) -> None:
        super().__init__()
        self._points, self._error = points, error

    def before(self, operation: str) -> None:
        if self._points.before(_owned(operation)):
            raise REGISTRY[_owned(operation)] or self._error

    def after(self, operation: str) -> None:
        if self._points.after(_owned(operation)):
            raise REGISTRY[_owned(operation)] or self._error


def _owned(operation: str) -> str:
    """The failpoint of an operation, by the thread: the ledger's writer has one of its own."""
    if threading.current_thread().name != "ledger":
        return f"Reads.{operation}"
    return f"Ledger.{'execute' if operation == 'rollback' else operation}"
