"""The contract of `RootKey`, for every root key there is, and what is AWS KMS's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from service.aws import TRIES, kms_client
from service.crypto.contexts import key_object_context
from service.crypto.kms import LocalRootKey, RootKey
from service.crypto.kms_aws import KmsRootKey
from service.crypto.wrapping import generate_key
from service.errors import RootKeyError, SealError, UnavailableError, UnsafeError
from tests.fakes.kms import FakeKms, Key, running_kms, use_any_credentials

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

REGION = "us-east-1"
CONTEXT = key_object_context("key_" + "1" * 32, "firm", None)
Make = Callable[[], RootKey]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    use_any_credentials(monkeypatch)


@pytest.fixture
def kms(credentials: None) -> Iterator[FakeKms]:
    with running_kms() as running:
        yield running


@pytest.fixture
def key(kms: FakeKms) -> Key:
    return kms.create_key(alias="alias/muniment")


@pytest.fixture
def root(kms: FakeKms, key: Key) -> KmsRootKey:
    return KmsRootKey(impatient(kms), key.arn)


def impatient(kms: FakeKms) -> KMSClient:
    """A client that waits less long than the service's, so that tests of slowness do not."""
    config = Config(connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.client("kms", region_name=REGION, endpoint_url=kms.endpoint, config=config)


@pytest.fixture(params=["local", "fake", "moto"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes root keys, a new one each time."""
    if request.param == "local":
        yield lambda: LocalRootKey.create(tmp_path / os.urandom(4).hex(), os.urandom)
        return
    request.getfixturevalue("credentials")
    if request.param == "fake":
        kms: FakeKms = request.getfixturevalue("kms")
        yield lambda: KmsRootKey(kms_client(region=REGION, endpoint=kms.endpoint), kms.create_key().arn)
        return
    with mock_aws():
        client = kms_client(region=REGION, endpoint="")
        yield lambda: KmsRootKey(client, client.create_key()["KeyMetadata"]["Arn"])


# The contract --------------------------------------------------------------------------------------------------------


def test_what_was_wrapped_opens_in_its_context(make: Make) -> None:
    root, secret = make(), generate_key(os.urandom)
    wrapped = root.wrap(secret, CONTEXT)
    assert root.unwrap(wrapped, CONTEXT) == secret
    assert secret.reveal() not in wrapped
    assert len(wrapped) <= 2048
    assert wrapped != root.wrap(secret, CONTEXT)


def test_another_root_key_opens_nothing(make: Make) -> None:
    wrapped = make().wrap(generate_key(os.urandom), CONTEXT)
    with pytest.raises((SealError, RootKeyError)):  # moto says AccessDenied where AWS says IncorrectKey
        make().unwrap(wrapped, CONTEXT)


@pytest.mark.parametrize("damage", [lambda w: b"", lambda w: w[:-1], lambda w: w + b"\0", lambda w: b"\x07" + w[1:]])
def test_what_was_changed_does_not_open(make: Make, damage: Callable[[bytes], bytes]) -> None:
    root = make()
    wrapped = root.wrap(generate_key(os.urandom), CONTEXT)
    with pytest.raises(SealError):
        root.unwrap(damage(wrapped), CONTEXT)


def test_every_root_key_names_itself_and_shows_nothing(make: Make) -> None:
    root, secret = make(), generate_key(os.urandom)
    root.wrap(secret, CONTEXT)
    assert root.describe() in repr(root)
    assert root.describe() != make().describe()


def test_a_root_key_serves_many_threads(make: Make) -> None:
    root, failed = make(), []

    def use() -> None:
        secret = generate_key(os.urandom)
        if root.unwrap(root.wrap(secret, CONTEXT), CONTEXT) != secret:
            failed.append(secret)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("other", [b"", CONTEXT + b"\0", key_object_context("key_" + "2" * 32, "firm", None)])
def test_another_context_opens_nothing(make: Make, other: bytes) -> None:
    root = make()
    wrapped = root.wrap(generate_key(os.urandom), CONTEXT)
    with pytest.raises(SealError):
        root.unwrap(wrapped, other)


# KMS: what goes wrong. Not run against moto, which decrypts with disabled and deleted keys and denies nobody


@pytest.mark.parametrize(
    ("state", "advice"), [("Disabled", "enable it"), ("PendingDeletion", "deletion"), ("PendingImport", "deletion")]
)
def test_a_key_that_is_not_enabled_neither_wraps_nor_opens(root: KmsRootKey, key: Key, state: str, advice: str) -> None:
    secret = generate_key(os.urandom)
    wrapped = root.wrap(secret, CONTEXT)
    key.state = state
    for act in (lambda: root.unwrap(wrapped, CONTEXT), lambda: root.wrap(generate_key(os.urandom), CONTEXT)):
        with pytest.raises(RootKeyError, match=advice):
            act()
    with pytest.raises(UnsafeError, match="not enabled"):
        root.check()
    key.state = "Enabled"
    assert root.unwrap(wrapped, CONTEXT) == secret


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "LimitExceededException", "KMSInternalException", "DependencyTimeoutException",
             "KeyUnavailableException", "AccessDeniedException", "NotFoundException", "SomethingNew"]
)  # fmt: skip
def test_whatever_kms_answers_it_is_503_and_shows_nothing_of_the_account(
    root: KmsRootKey, kms: FakeKms, code: str
) -> None:
    wrapped = root.wrap(generate_key(os.urandom), CONTEXT)
    kms.answers.append(code)
    with pytest.raises(RootKeyError) as caught:
        root.unwrap(wrapped, CONTEXT)
    assert (caught.value.status, caught.value.code) == (503, "root_key_unavailable")
    assert isinstance(caught.value, UnavailableError)
    assert "1111" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_kms_that_throttles_for_a_moment_is_asked_again(kms: FakeKms, key: Key) -> None:
    root = KmsRootKey(kms_client(region=REGION, endpoint=kms.endpoint), key.arn)
    secret = generate_key(os.urandom)
    wrapped = root.wrap(secret, CONTEXT)
    kms.answers.append("ThrottlingException")
    assert root.unwrap(wrapped, CONTEXT) == secret


def test_a_kms_that_goes_on_throttling_is_not_asked_for_ever(kms: FakeKms, key: Key) -> None:
    root = KmsRootKey(kms_client(region=REGION, endpoint=kms.endpoint), key.arn)
    root.check()
    kms.calls.clear()
    kms.answers.extend(["ThrottlingException"] * 100)
    with pytest.raises(RootKeyError, match="throttling"):
        root.wrap(generate_key(os.urandom), CONTEXT)
    assert len(kms.calls) == TRIES


def test_a_slow_kms_is_given_up(root: KmsRootKey, kms: FakeKms) -> None:
    wrapped = root.wrap(generate_key(os.urandom), CONTEXT)
    kms.delay_s = 30
    with pytest.raises(RootKeyError, match="does not answer"):
        root.unwrap(wrapped, CONTEXT)


def test_a_kms_whose_answer_is_lost_is_asked_again(kms: FakeKms, key: Key) -> None:
    root = KmsRootKey(kms_client(region=REGION, endpoint=kms.endpoint), key.arn)
    secret = generate_key(os.urandom)
    wrapped = root.wrap(secret, CONTEXT)
    kms.swallow = 1
    assert root.unwrap(wrapped, CONTEXT) == secret


def test_a_kms_that_is_not_there_is_unavailable(kms: FakeKms) -> None:
    config = Config(connect_timeout=0.2, retries={"mode": "standard", "total_max_attempts": 1})
    client = boto3.client("kms", region_name=REGION, endpoint_url="http://127.0.0.1:9", config=config)
    with pytest.raises(RootKeyError):
        KmsRootKey(client, "alias/muniment").check()


def test_the_context_is_what_kms_binds(root: KmsRootKey, kms: FakeKms) -> None:
    root.unwrap(root.wrap(generate_key(os.urandom), CONTEXT), CONTEXT)
    contexts = [asked["EncryptionContext"] for action, asked in kms.calls if action in {"Encrypt", "Decrypt"}]
    assert len(contexts) == 2
    assert contexts[0] == contexts[1]
    assert set(contexts[0]) == {"muniment"}


def test_the_key_is_pinned_by_its_arn_and_an_alias_that_moves_is_not_followed(kms: FakeKms, key: Key) -> None:
    root = KmsRootKey(impatient(kms), "alias/muniment")
    secret = generate_key(os.urandom)
    wrapped = root.wrap(secret, CONTEXT)
    kms.aliases["alias/muniment"] = kms.create_key().id
    assert root.unwrap(wrapped, CONTEXT) == secret
    assert {asked["KeyId"] for action, asked in kms.calls if action != "DescribeKey"} == {key.arn}
    assert key.arn in root.describe()
    with pytest.raises(UnsafeError, match="alias"):
        root.check()


def test_an_answer_from_another_key_is_not_believed(
    root: KmsRootKey, kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped = root.wrap(generate_key(os.urandom), CONTEXT)
    real = kms.call

    def lying(action: str, asked: dict[str, Any]) -> dict[str, Any]:
        return {**real(action, asked), "KeyId": kms.create_key().arn}

    monkeypatch.setattr(kms, "call", lying)
    with pytest.raises(SealError):
        root.unwrap(wrapped, CONTEXT)


def test_the_check_finds_a_kms_that_gives_back_another_key(
    root: KmsRootKey, kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = kms.call

    def mistaken(action: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = real(action, asked)
        return {**answer, "Plaintext": "AAAA" * 10 + "AAE="} if action == "Decrypt" else answer

    monkeypatch.setattr(kms, "call", mistaken)
    with pytest.raises(SealError):
        root.check()


def test_what_is_not_of_our_form_costs_no_call(root: KmsRootKey, kms: FakeKms) -> None:
    for foreign in (b"", b"\x01" + bytes(60), b"\x02" + bytes(2048)):
        with pytest.raises(SealError):
            root.unwrap(foreign, CONTEXT)
    assert kms.calls == []


def test_the_check_is_content_with_an_enabled_symmetric_key_that_rotates(root: KmsRootKey) -> None:
    assert root.check() == ()


def test_the_check_warns_where_rotation_is_off_or_cannot_be_told(root: KmsRootKey, key: Key) -> None:
    key.rotates = False
    assert "turn that on" in root.check()[0]
    key.denied.add("GetKeyRotationStatus")
    assert "cannot be told" in root.check()[0]


@pytest.mark.parametrize(("name", "value"), [("spec", "RSA_2048"), ("usage", "GENERATE_VERIFY_MAC")])
def test_the_check_refuses_a_key_of_another_kind(root: KmsRootKey, key: Key, name: str, value: str) -> None:
    setattr(key, name, value)
    with pytest.raises(UnsafeError, match="symmetric"):
        root.check()


@pytest.mark.parametrize("action", ["DescribeKey", "Encrypt", "Decrypt"])
def test_the_check_finds_what_is_denied_before_anybody_needs_it(root: KmsRootKey, key: Key, action: str) -> None:
    key.denied.add(action)
    with pytest.raises(RootKeyError, match="denies"):
        root.check()


def test_a_ciphertext_that_is_too_long_to_keep_is_refused(
    root: KmsRootKey, kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = kms.call

    def long(action: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = real(action, asked)
        return {**answer, "CiphertextBlob": "A" * 4000} if action == "Encrypt" else answer

    monkeypatch.setattr(kms, "call", long)
    with pytest.raises(RootKeyError):
        root.wrap(generate_key(os.urandom), CONTEXT)
