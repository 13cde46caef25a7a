"""A scene that stands while the tests of a module run, for tests that are not coroutines themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.api.asking import Answer, operation_of
from tests.api.requests import Operation, Request, operations
from tests.api.scene import Scene
from tests.world import a_world


@dataclass
class Stage:
    """A scene, and the loop that it runs in."""

    runner: asyncio.Runner
    scene: Scene

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations of the application's description, by their ids."""
        return operations(self.scene.world.app.openapi())

    def ask(self, case: str, token: str | None, request: Request) -> Answer:
        """Send a request of a case."""
        operation = self.operations[operation_of(case)]
        return Answer.of(self.runner.run(operation.ask(self.scene.world.http, token, request)))


def staged(home: Path, url: str) -> Iterator[Stage]:
    """Make a scene in this folder and database; gone when the iterator ends."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(a_world(home, url)))
        yield Stage(runner, runner.run(Scene.build(world)))
        runner.run(stack.aclose())
