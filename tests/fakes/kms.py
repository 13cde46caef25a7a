"""A KMS over HTTP that is as strict as AWS's own: what moto decrypts all the same, this one refuses.

Start it with `running_kms`; boto3 talks to it as to AWS, so timeouts and retries are the real ones. A test changes the
world and looks at what the service makes of it:

    with running_kms() as kms:
        key = kms.create_key()
        key.state = "Disabled"            # or PendingDeletion: Encrypt and Decrypt are refused from now on
        kms.answers.append("ThrottlingException")   # the next call is refused so, whatever it asks
        kms.delay_s = 30                  # every answer is that late

Ciphertexts are AES-256-GCM under the key's own material, bound to the encryption context; whoever names another key
gets IncorrectKeyException, whoever names another context InvalidCiphertextException, as from AWS.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ACCOUNT = "111122223333"
_ID_BYTES, _NONCE_BYTES = 36, 12


class Refused(Exception):  # noqa: N818  # an answer, not an error of ours
    """KMS answers with this code."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass
class Key:
    """One key; a test may change any of this."""

    id: str
    state: str = "Enabled"
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"
    rotates: bool = True
    denied: set[str] = field(default_factory=set)  # actions, such as Decrypt
    material: bytes = field(default_factory=lambda: os.urandom(32), repr=False)

    @property
    def arn(self) -> str:
        return f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{self.id}"


class FakeKms:
    """The keys, and what goes wrong with the next calls."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.aliases: dict[str, str] = {}
        self.answers: deque[str] = deque()
        self.swallow = 0  # so many of the next calls are carried out, and their answers lost
        self.delay_s = 0.0
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.endpoint = ""

    def create_key(self, alias: str | None = None) -> Key:
        raw = os.urandom(16).hex()
        key = Key(f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}")
        self.keys[key.id] = key
        if alias is not None:
            self.aliases[alias] = key.id
        return key

    def call(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((action, asked))
        if self.answers:
            raise Refused(self.answers.popleft())
        key = self._find(asked["KeyId"])
        if action in key.denied:
            raise Refused("AccessDeniedException")
        if action in {"Encrypt", "Decrypt"}:
            self._require_usable(key)
        answers = {
            "Encrypt": self._encrypt,
            "Decrypt": self._decrypt,
            "DescribeKey": self._describe,
            "GetKeyRotationStatus": self._rotation,
        }
        return answers[action](key, asked)

    def _find(self, name: str) -> Key:
        name = self.aliases.get(name, name).rpartition("/")[2]
        if name not in self.keys:
            raise Refused("NotFoundException")
        return self.keys[name]

    @staticmethod
    def _require_usable(key: Key) -> None:
        if key.state == "Disabled":
            raise Refused("DisabledException")
        if key.state != "Enabled":
            raise Refused("KMSInvalidStateException")
        if key.usage != "ENCRYPT_DECRYPT":
            raise Refused("InvalidKeyUsageException")

    @staticmethod
    def _encrypt(key: Key, asked: dict[str, Any]) -> dict[str, Any]:
        nonce, plain = os.urandom(_NONCE_BYTES), base64.b64decode(asked["Plaintext"])
        blob = key.id.encode() + nonce + AESGCM(key.material).encrypt(nonce, plain, _bound(asked))
        return {"CiphertextBlob": base64.b64encode(blob).decode(), "KeyId": key.arn}

    def _decrypt(self, key: Key, asked: dict[str, Any]) -> dict[str, Any]:
        blob = base64.b64decode(asked["CiphertextBlob"])
        said, nonce = blob[:_ID_BYTES].decode(errors="replace"), blob[_ID_BYTES : _ID_BYTES + _NONCE_BYTES]
        if said in self.keys and said != key.id:
            raise Refused("IncorrectKeyException")
        try:
            plain = AESGCM(key.material).decrypt(nonce, blob[_ID_BYTES + _NONCE_BYTES :], _bound(asked))
        except (InvalidTag, ValueError):
            raise Refused("InvalidCiphertextException") from None
        return {"Plaintext": base64.b64encode(plain).decode(), "KeyId": key.arn}

    @staticmethod
    def _describe(key: Key, _asked: dict[str, Any]) -> dict[str, Any]:
        said = {"KeyId": key.id, "Arn": key.arn, "KeyState": key.state, "KeySpec": key.spec, "KeyUsage": key.usage}
        return {"KeyMetadata": said}

    @staticmethod
    def _rotation(key: Key, _asked: dict[str, Any]) -> dict[str, Any]:
        return {"KeyRotationEnabled": key.rotates}


def _bound(asked: dict[str, Any]) -> bytes:
    return json.dumps(asked.get("EncryptionContext", {}), sort_keys=True).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    kms: FakeKms
    closing: threading.Event


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        action = self.headers["x-amz-target"].removeprefix("TrentService.")
        kms = self.server.kms
        self._wait(kms.delay_s)
        try:
            status, answer = 200, kms.call(action, body)
        except Refused as refused:
            status, answer = refused.status, {"__type": refused.code, "message": f"arn:aws:iam::{ACCOUNT}:role/secret"}
        if kms.swallow:
            kms.swallow -= 1
            self.close_connection = True
            return
        written = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.server.closing.is_set():
            time.sleep(0.01)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


def use_any_credentials(patch: pytest.MonkeyPatch) -> None:
    """Let boto3 find credentials for the time of a test, and forget them after it: its default session keeps them."""
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setattr(boto3, "DEFAULT_SESSION", None)


@contextmanager
def running_kms() -> Iterator[FakeKms]:
    """A KMS on loopback for the time of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.kms, server.closing = FakeKms(), threading.Event()
    server.kms.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.kms
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
