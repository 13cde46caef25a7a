"""A key place in memory: the contract of `service.crypto.places.KeyPlace`, with faults."""

from __future__ import annotations

from service.crypto.places import check_key_id
from service.errors import ExistsError, KeyMissingError
from tests.fakes.faults import Faults


class MemoryKeyPlace:
    """Holds key objects in a dict; ``faults`` plans what goes wrong in each operation."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.objects: dict[str, bytes] = {}
        self.faults = Faults()

    @property
    def name(self) -> str:
        return self._name

    def put(self, key_id: str, data: bytes) -> None:
        check_key_id(key_id)
        self.faults.before("put")
        if self.objects.setdefault(key_id, data) is not data:
            raise ExistsError
        self.faults.after("put")

    def get(self, key_id: str) -> bytes:
        check_key_id(key_id)
        self.faults.before("get")
        if key_id not in self.objects:
            raise KeyMissingError
        self.faults.after("get")
        return self.objects[key_id]

    def replace(self, key_id: str, old: bytes, new: bytes) -> bool:
        check_key_id(key_id)
        self.faults.before("replace")
        there = self.objects.get(key_id)
        if there == old:
            self.objects[key_id] = new
        self.faults.after("replace")
        return there is not None and there in (old, new)

    def delete(self, key_id: str) -> None:
        check_key_id(key_id)
        self.faults.before("delete")
        self.objects.pop(key_id, None)
        self.faults.after("delete")

    def list(self) -> list[str]:
        self.faults.before("list")
        return sorted(self.objects)
