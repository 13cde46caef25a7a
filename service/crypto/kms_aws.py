"""A root key that never leaves AWS KMS.

Rules kept here:

* what is wrapped is bound to its context as KMS's encryption context, so KMS itself refuses it in another place;
* the key is pinned by its ARN, resolved once: an alias that somebody points elsewhere later is not followed;
* a KMS that is slow, throttled, denied, disabled or away is `RootKeyError` (503), and there is never another key to
  fall back to; only an answer that says "this ciphertext is not mine" is a `SealError`;
* nothing that KMS says is shown: its messages name accounts and roles.

How long a call may take and how often it is tried again was decided where the client was made (`service.aws`).

Source: AWS KMS API reference, Encrypt, Decrypt, DescribeKey, GetKeyRotationStatus; service/crypto/FORMAT.md, section 9.
"""

from __future__ import annotations

import base64
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from service.aws import AwsError, error_code
from service.crypto.contexts import join
from service.crypto.wrapping import SecretKey
from service.errors import RootKeyError, SealError, UnsafeError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

VERSION: Final = b"\x02"
MAX_WRAPPED_BYTES: Final = 2_048
_CONTEXT: Final = "muniment"
_FOREIGN: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_PROBE: Final = "muniment root key check v1"
# What KMS answers, and what an operator does about it.
_ADVICE: Final = {
    "AccessDeniedException": "KMS denies Muniment the use of the root key: allow its role in the key's policy.",
    "DisabledException": "The root key is disabled in KMS: enable it.",
    "KMSInvalidStateException": "The root key is disabled or waits for its deletion in KMS: cancel that.",
    "NotFoundException": "KMS knows no such root key: see MUNIMENT_ROOT_KEY and the region.",
    "InvalidKeyUsageException": "The root key in KMS is not one for encrypting: see MUNIMENT_ROOT_KEY.",
    "ThrottlingException": "KMS is throttling. Try again in a moment.",
    "LimitExceededException": "KMS is throttling. Try again in a moment.",
}
_AWAY: Final = "KMS does not answer. Nothing was changed and nothing was shown. Try again in a moment."


class KmsRootKey:
    """A symmetric key in AWS KMS; satisfies `service.crypto.kms.RootKey`. Safe from several threads at once."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        """Use the key that ``key_id`` names; nothing is asked yet.

        Args:
            client: with timeouts and bounded retries.
            key_id: key id, key ARN, or ``alias/…``.
        """
        self._client, self._key_id = client, key_id
        self._lock = Lock()
        self._arn: str | None = None

    def check(self) -> tuple[str, ...]:
        """Ask KMS whether the key can be relied upon, and use it once; for the start of a server and for the doctor.

        Returns: what is not as it should be without being in the way, a sentence each.

        Raises:
            UnsafeError: it is not an enabled symmetric key for encrypting, or waits for its deletion.
            RootKeyError: KMS does not answer, or not to us.
        """
        said = self._describe()
        fit = said.get("KeySpec") == "SYMMETRIC_DEFAULT" and said.get("KeyUsage") == "ENCRYPT_DECRYPT"
        if not fit:
            raise UnsafeError("The root key in KMS must be a symmetric key for encrypting and decrypting.")
        if said.get("KeyState") != "Enabled":
            raise UnsafeError("The root key in KMS is not enabled, or waits for its deletion. Enable it, then start.")
        probe, context = SecretKey(bytes(32)), join(_PROBE)
        if self.unwrap(self.wrap(probe, context), context) != probe:
            raise SealError
        return self._rotation()

    def wrap(self, key: SecretKey, context: bytes) -> bytes:
        """See `RootKey.wrap`: a version byte, then KMS's ciphertext."""
        try:
            answer = self._client.encrypt(
                KeyId=self._pinned(), Plaintext=key.reveal(), EncryptionContext=_encryption_context(context)
            )
        except AwsError as error:
            raise _translate(error) from None
        wrapped = VERSION + answer["CiphertextBlob"]
        if len(wrapped) > MAX_WRAPPED_BYTES:
            raise RootKeyError
        return wrapped

    def unwrap(self, wrapped: bytes, context: bytes) -> SecretKey:
        """See `RootKey.unwrap`. What is not of our form costs no call."""
        if wrapped[:1] != VERSION or len(wrapped) > MAX_WRAPPED_BYTES:
            raise SealError
        pinned = self._pinned()
        try:
            answer = self._client.decrypt(
                KeyId=pinned, CiphertextBlob=wrapped[1:], EncryptionContext=_encryption_context(context)
            )
        except AwsError as error:
            raise _translate(error) from None
        if answer["KeyId"] != pinned:
            raise SealError
        return SecretKey(answer["Plaintext"])

    def describe(self) -> str:
        """Name the key as the settings do; the ARN once it is known."""
        return f"AWS KMS, key {self._arn or self._key_id}"

    def __repr__(self) -> str:
        return f"KmsRootKey({self.describe()})"

    def _pinned(self) -> str:
        if self._arn is None:
            self._describe()
        assert self._arn is not None  # noqa: S101  # _describe sets it or raises
        return self._arn

    def _describe(self) -> Any:
        try:
            said = self._client.describe_key(KeyId=self._key_id)["KeyMetadata"]
        except AwsError as error:
            raise _translate(error) from None
        with self._lock:
            if self._arn is None:
                self._arn = said["Arn"]
        if said["Arn"] != self._arn:
            raise UnsafeError("The root key's alias in KMS points to another key than at the start. Point it back.")
        return said

    def _rotation(self) -> tuple[str, ...]:
        try:
            answer = self._client.get_key_rotation_status(KeyId=self._pinned())
        except AwsError:
            return ("Whether KMS rotates the root key by itself cannot be told: allow kms:GetKeyRotationStatus.",)
        return () if answer["KeyRotationEnabled"] else ("KMS does not rotate the root key by itself: turn that on.",)


def _encryption_context(context: bytes) -> dict[str, str]:
    """One pair; base64, because KMS takes text only. It stands in CloudTrail in the clear: ids and words, no names."""
    return {_CONTEXT: base64.b64encode(context).decode()}


def _translate(error: Exception) -> RootKeyError | SealError:
    code = error_code(error)
    return SealError() if code in _FOREIGN else RootKeyError(_ADVICE.get(code, _AWAY))
