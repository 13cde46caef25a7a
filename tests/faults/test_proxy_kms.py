"""Whatever happens on the way to the KMS: the right key or a clean error, in bounded time, and never another key.

The KMS speaks JSON without a checksum, so a flipped byte on the way is guarded by TLS alone; what is tried here is that
a key which was changed on its way opens nothing that it should not, and that no answer of any form is fatal.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from botocore.retries.standard import ExponentialBackoff

from service import aws
from service.aws import kms_client
from service.crypto.contexts import key_object_context
from service.crypto.kms_aws import KmsRootKey
from service.crypto.wrapping import SecretKey, generate_key
from service.errors import RootKeyError, SealError
from tests.fakes.kms import FakeKms, Key, running_kms
from tests.fakes.proxy import Fault, Kind, running_proxy
from tests.scale import LONG

REGION = "us-east-1"
CONTEXT = key_object_context("key_" + "1" * 32, "firm", None)
READ_TIMEOUT_S, LONGEST_S = 0.5, 20.0
TRIED = tuple(kind for kind in Kind if kind not in (Kind.FLIP_REPLY, Kind.FLIP_REQUEST))
AT = (0, 1, 20, 60, 150, 400)
Figure = Callable[[str, object], None]


@pytest.fixture
def kms() -> Iterator[FakeKms]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr(aws, "READ_TIMEOUT_S", READ_TIMEOUT_S)
        patch.setattr(aws, "CONNECT_TIMEOUT_S", READ_TIMEOUT_S)
        patch.setattr(ExponentialBackoff, "delay_amount", lambda *_given: 0.01)
        with running_kms() as running:
            yield running


async def test_every_fault_on_the_way_to_a_kms_ends_in_the_right_key_or_a_clean_error(
    kms: FakeKms, record_property: Figure
) -> None:
    seed, key = random.getrandbits(32), kms.create_key(alias="alias/muniment")
    told = await asyncio.gather(*(asyncio.to_thread(_one_kind, kms, key, kind, seed) for kind in TRIED))
    violations = [violation for _, found in told for violation in found]
    ended = sum((counted for counted, _ in told), Counter[str]())
    assert not violations, f"seed {seed}:\n" + "\n".join(violations)
    assert min(ended["right"], ended["clean error"]) > 1, ended
    record_property(
        "figure",
        f"proxy matrix of a KMS: {len(TRIED)} faults × 2 operations, right keys {ended['right']}, clean errors "
        f"{ended['clean error']}, violations 0",
    )


def _one_kind(kms: FakeKms, key: Key, kind: Kind, seed: int) -> tuple[Counter[str], list[str]]:
    ended, violations, chance = Counter[str](), [], random.Random(f"{seed} {kind}")
    for operation in (_wrap, _unwrap):
        hows = [(nth, times) for nth in (0, 1) for times in (1, 99)]
        for nth, times in hows if LONG else (chance.choice(hows),):
            fault = Fault(kind, at=chance.choice(AT), seconds=0.1)
            began = time.monotonic()
            try:
                ended[_one_cell(operation, kms, key, fault, nth, times)] += 1
            except Exception as error:  # noqa: BLE001  # whatever is not a clean error is what we look for
                violations.append(f"{operation.__name__}, {fault}, {nth}, {times}: {error!r}")
            if time.monotonic() - began > LONGEST_S:
                violations.append(f"{operation.__name__}, {fault}: took {time.monotonic() - began:.0f} s")
    return ended, violations


def _one_cell(
    operation: Callable[[KmsRootKey, KmsRootKey, SecretKey], None],
    kms: FakeKms,
    key: Key,
    fault: Fault,
    nth: int,
    times: int,
) -> str:
    server_port = urlsplit(kms.endpoint).port
    assert server_port is not None
    with running_proxy(server_port) as proxy:
        proxy.plan(fault, nth=nth, times=times)
        behind = kms_client(region=REGION, endpoint=f"http://127.0.0.1:{proxy.port}")
        direct = kms_client(region=REGION, endpoint=kms.endpoint)
        try:
            operation(KmsRootKey(behind, key.arn), KmsRootKey(direct, key.arn), generate_key(os.urandom))
        except (RootKeyError, SealError):
            return "clean error"
        finally:
            behind.close()
            direct.close()
    return "right"


def _wrap(behind: KmsRootKey, direct: KmsRootKey, secret: SecretKey) -> None:
    assert direct.unwrap(behind.wrap(secret, CONTEXT), CONTEXT) == secret


def _unwrap(behind: KmsRootKey, direct: KmsRootKey, secret: SecretKey) -> None:
    assert behind.unwrap(direct.wrap(secret, CONTEXT), CONTEXT) == secret
