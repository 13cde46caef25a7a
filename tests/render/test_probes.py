"""Probes and the process that forks them: apart from each other, confined, gone in time, and had again after a loss."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.render import probes as module
from service.render.orders import END, ORDER, WHOLE
from service.render.probes import Probe, Probes, missing_limits
from tests.render import samples
from tests.render.processes import children, environment, is_there, open_files


@pytest.fixture
def probes() -> Iterator[Probes]:
    """Probes whose processes end with the test."""
    made = Probes(2)
    yield made
    made.close()


def server(probes: Probes) -> int:
    assert probes._server is not None
    return probes._server[0].pid


async def gone(pid: int) -> None:
    """Wait until a process is there no more, not even dead."""
    patience = time.monotonic() + 5
    while is_there(pid):
        assert time.monotonic() < patience, "the process is still there"
        await asyncio.sleep(0.01)


async def _write_on(probe: Probe) -> None:
    for _ in range(100):
        await probe.write(bytes(65_536))


async def test_a_probe_is_fully_confined_here_and_says_what_is_missing_elsewhere(probes: Probes) -> None:
    missing = await missing_limits(probes)
    assert "system call filter" in missing or missing == ()


async def test_each_file_has_a_process_of_its_own(probes: Probes) -> None:
    first, second = await probes.start(WHOLE), await probes.start(WHOLE)
    one, two = children(server(probes))
    await first.write(samples.pdf(2))
    assert await first.answer() == b"readable 2 application/pdf =\n"
    await first.end()
    await gone(one)
    assert children(server(probes)) == [two]
    await second.end()
    await gone(two)


async def test_a_process_has_no_environment_and_none_of_our_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, probes: Probes
) -> None:
    monkeypatch.setenv("MUNIMENT_SECRET", "canary")
    ours = os.open(tmp_path / "database", os.O_CREAT)
    os.set_inheritable(ours, True)
    probe = await probes.start(WHOLE)
    try:
        await asyncio.sleep(0.2)  # it waits for input now
        (pid,) = children(server(probes))
        for each in (pid, server(probes)):
            assert b"canary" not in environment(each)
            files = open_files(each)
            assert {name for name in files if not name.startswith("socket:")} == {os.devnull}
            assert len(files) == 3
    finally:
        await probe.end()
        os.close(ours)


async def test_after_the_fork_server_was_lost_there_is_a_new_one_and_its_probes_are_gone(probes: Probes) -> None:
    probe = await probes.start(WHOLE)
    lost, (pid,) = server(probes), children(server(probes))
    os.kill(lost, signal.SIGKILL)
    await gone(pid)
    with pytest.raises((OSError, RuntimeError)):
        await _write_on(probe)
    again = await probes.start(WHOLE)
    assert server(probes) != lost
    await probe.end()  # its id means nothing to the new one
    assert len(children(server(probes))) == 1
    await again.end()


async def test_a_fork_server_that_hangs_is_given_up_in_time_and_replaced(
    monkeypatch: pytest.MonkeyPatch, probes: Probes
) -> None:
    await (await probes.start(WHOLE)).end()
    stopped = server(probes)
    os.kill(stopped, signal.SIGSTOP)
    monkeypatch.setattr(module, "START_S", 0.2)
    with pytest.raises(TimeoutError):
        await probes.start(WHOLE)
    await gone(stopped)
    monkeypatch.setattr(module, "START_S", 10)
    probe = await probes.start(WHOLE)
    assert await probe.answer() == b"unknown - application/octet-stream -\n"
    await probe.end()


async def test_closing_ends_everything(probes: Probes) -> None:
    probe = await probes.start(WHOLE)
    first, (pid,) = server(probes), children(server(probes))
    probes.close()
    await gone(first)
    await gone(pid)
    await probe.end()
    probes.close()


async def test_it_leaves_when_nobody_orders_any_more(probes: Probes) -> None:
    await (await probes.start(WHOLE)).end()
    assert probes._server is not None
    process, orders = probes._server
    orders.shutdown(socket.SHUT_RDWR)
    assert await asyncio.to_thread(process.wait, 5) == 0


async def test_it_ends_no_process_but_its_own(probes: Probes) -> None:
    bystander = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        await (await probes.start(WHOLE)).end()
        assert probes._server is not None
        probes._server[1].send(ORDER.pack(END, bystander.pid))
        await (await probes.start(WHOLE)).end()  # so the order before was read
        assert bystander.returncode is None
        assert is_there(bystander.pid)
    finally:
        bystander.kill()
        await bystander.wait()


async def test_no_process_to_be_had_is_an_error_and_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, probes: Probes
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no process left")

    with monkeypatch.context() as patch:
        patch.setattr(module, "Popen", refuse)
        with pytest.raises(OSError, match="no process left"):
            await probes.start(WHOLE)
    await (await probes.start(WHOLE)).end()


async def test_a_fork_that_fails_is_an_error(probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module,
        "_START",
        "import os, resource, sys; sys.path.insert(0, sys.argv.pop()); import service.render.forkserver as f;"
        "os.fork = lambda: (_ for _ in ()).throw(OSError()); f.main()",
    )
    with pytest.raises(OSError, match="no process left"):
        await probes.start(WHOLE)
