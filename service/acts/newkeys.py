"""Key objects made for an act, outside of its transaction and before anything they seal is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.crypto.wrapping import SecretKey
from service.door import KeyNotOpenError
from service.services import Services


class KeyWantedError(Exception):
    """A job needs a new key object; the job steps back until it is in all key places."""

    def __init__(self, kind: str, parent: str | None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.parent = parent


def keyed(services: Services, key_id: str) -> SecretKey:
    """A key object's key, when it is open already; jobs never wait for a key.

    Raises:
        KeyNotOpenError: it is not; `submit` opens it and runs the job again.
    """
    key = services.keys.peek(key_id)
    if key is None:
        raise KeyNotOpenError(key_id)
    return key


@dataclass(slots=True)
class NewKeys:
    """Key objects made for one act, in the order in which its job asks for them.

    A key is in all places before anything it seals is written, and outside of the transaction. If the act fails in the
    end they are destroyed; a crash in between leaves a key without an owner, which `muniment doctor` finds.
    """

    made: list[str] = field(default_factory=list)
    parents: list[str | None] = field(default_factory=list)  # of those made, in the same order
    spare: list[str] = field(default_factory=list)  # made and not wanted any more
    asked: int = 0

    def next(self, kind: str, parent: str | None) -> str:
        """Return the next key's id.

        Raises:
            KeyWantedError: it is not made yet, or under a parent that was rotated since: what hangs on the old one
                would be lost with it.
        """
        if self.asked < len(self.made) and self.parents[self.asked] != parent:
            self.spare += self.made[self.asked :]
            del self.made[self.asked :], self.parents[self.asked :]
        if self.asked == len(self.made):
            raise KeyWantedError(kind, parent)
        self.asked += 1
        return self.made[self.asked - 1]

    def unused(self) -> list[str]:
        """Those that the job did not ask for in the end, when it has run."""
        return [*self.spare, *self.made[self.asked :]]
