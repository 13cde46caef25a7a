"""The start-up check of buckets: is each one safe for what it is to hold?

A bucket that is unsafe is refused, with what to change. What its server does not answer, or does not let us ask, is
returned as a sentence: the doctor shows it and the start logs it, so that nobody takes silence for safety.

| bucket | versions | replica | Object Lock |
|---|---|---|---|
| documents | as you like: all are deleted | told | refused: nothing could be deleted |
| keys | refused, also when suspended: a deleted key must be gone | refused | refused |
| anchors | come with the lock | as you like | wanted, in compliance mode by default |

Every bucket: public access blocked, and a policy that denies what comes without TLS. Nothing here changes a bucket.

Source: docs/adr/0013-s3.md; AWS S3 user guide, "Blocking public access", "Object Lock", "aws:SecureTransport".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from service import aws
from service.errors import StoreUnavailableError, UnsafeError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_EVERYBODY: Final = ("http://acs.amazonaws.com/groups/global/AllUsers",)
_EVERYBODY_SIGNED_IN: Final = ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers",)
_NOTHING_SET: Final = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "ReplicationConfigurationNotFoundError",
    }
)


class Holds(StrEnum):
    """What a bucket is to hold."""

    ANCHORS = "anchors"
    DOCUMENTS = "documents"
    KEYS = "keys"


def check_bucket(client: S3Client, bucket: str, holds: Holds) -> tuple[str, ...]:
    """Ask whether a bucket is safe for what it is to hold.

    Returns: what could not be told, and what the operator should know; a sentence each.

    Raises:
        UnsafeError: it is not, or it is not there; says what to change.
        StoreUnavailableError: its server does not answer.
    """
    return tuple(_Check(client, bucket, holds).doubts())


class _Check:
    """One check of one bucket."""

    def __init__(self, client: S3Client, bucket: str, holds: Holds) -> None:
        self._client, self._bucket, self._holds = client, bucket, holds

    def doubts(self) -> Iterator[str]:
        self._require_bucket()
        yield from self._public_access()
        yield from self._transport()
        yield from self._versions()
        yield from self._replica()
        yield from self._lock()

    def _require_bucket(self) -> None:
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except aws.AwsError as error:
            if aws.is_missing(error) or aws.is_denied(error):
                raise self._unsafe("is not there, or not for us: make it, or give this role its rights") from error
            raise StoreUnavailableError from error

    def _public_access(self) -> Iterator[str]:
        known, answer = self._ask(self._client.get_public_access_block)
        if known:
            blocks = answer.get("PublicAccessBlockConfiguration", {})
            if not all(blocks.get(name) for name in _BLOCKS):
                raise self._unsafe("may become public: block public access, all four switches")
            return
        yield self._untold("whether public access is blocked")
        known, answer = self._ask(self._client.get_bucket_acl)
        for grant in answer.get("Grants", []):
            if grant.get("Grantee", {}).get("URI", "").startswith((*_EVERYBODY, *_EVERYBODY_SIGNED_IN)):
                raise self._unsafe("is open to everybody by its access list: make it private")
        known, statements = self._statements()
        if any(_allows_everybody(each) for each in statements):
            raise self._unsafe("is open to everybody by its policy: take the statement out")

    def _transport(self) -> Iterator[str]:
        known, statements = self._statements()
        if not known:
            yield self._untold("whether requests without TLS are denied")
        elif not any(_denies_plain(each, self._bucket) for each in statements):
            if not _is_here(self._client.meta.endpoint_url):
                raise self._unsafe("takes requests without TLS: deny them by policy (aws:SecureTransport is false)")
            yield self._sentence("takes requests without TLS; it is on this machine, so it is used all the same")

    def _versions(self) -> Iterator[str]:
        known, answer = self._ask(self._client.get_bucket_versioning)
        if not known:
            yield self._untold("whether it keeps versions")
        elif self._holds is Holds.KEYS and answer.get("Status"):
            raise self._unsafe("keeps versions of keys, or did: use one that never kept any")

    def _replica(self) -> Iterator[str]:
        if self._holds is Holds.ANCHORS:
            return
        known, answer = self._ask(self._client.get_bucket_replication)
        rules = answer.get("ReplicationConfiguration", {}).get("Rules", [])
        if not known:
            yield self._untold("whether it is replicated")
        elif rules and self._holds is Holds.KEYS:
            raise self._unsafe("is replicated, and a destroyed key would live on: end the replication")
        elif rules:
            yield self._sentence("is replicated: what a disposal deletes here lives on there")

    def _lock(self) -> Iterator[str]:
        known, answer = self._ask(self._client.get_object_lock_configuration)
        lock: dict[str, Any] = answer.get("ObjectLockConfiguration", {})
        locked = lock.get("ObjectLockEnabled") == "Enabled"
        if not known:
            yield self._untold("whether it locks objects")
        elif self._holds is not Holds.ANCHORS and locked:
            raise self._unsafe("locks objects, so nothing could be destroyed: use one without Object Lock")
        elif self._holds is Holds.ANCHORS:
            retention = lock.get("Rule", {}).get("DefaultRetention", {})
            if not locked or retention.get("Mode") != "COMPLIANCE":
                raise self._unsafe("does not lock objects: it needs Object Lock with a default in compliance mode")

    def _statements(self) -> tuple[bool, list[dict[str, Any]]]:
        known, answer = self._ask(self._client.get_bucket_policy)
        try:
            found = json.loads(answer.get("Policy", "{}")).get("Statement", [])
        except ValueError:
            return False, []
        return known, [found] if isinstance(found, dict) else found

    def _ask(self, question: Callable[..., Any]) -> tuple[bool, dict[str, Any]]:
        """Whether the server told, and what; what is not set is told, and empty."""
        try:
            return True, question(Bucket=self._bucket)
        except aws.AwsError as error:
            if aws.error_code(error) in _NOTHING_SET:
                return True, {}
            if aws.is_unsupported(error) or aws.is_denied(error):
                return False, {}
            raise StoreUnavailableError from error

    def _untold(self, what: str) -> str:
        return self._sentence(f"does not tell {what}: look yourself")

    def _unsafe(self, what: str) -> UnsafeError:
        return UnsafeError(self._sentence(what))

    def _sentence(self, what: str) -> str:
        return f"The bucket for {self._holds} ({self._bucket}) {what}."


def _allows_everybody(statement: dict[str, Any]) -> bool:
    return statement.get("Effect") == "Allow" and "*" in _principals(statement) and not statement.get("Condition")


def _denies_plain(statement: dict[str, Any], bucket: str) -> bool:
    """Whether a statement denies everybody everything, in the bucket and on it, that comes without TLS."""
    condition = statement.get("Condition", {})
    resources = set(_listed(statement.get("Resource")))
    return (
        statement.get("Effect") == "Deny"
        and "*" in _principals(statement)
        and bool({"*", "s3:*"} & set(_listed(statement.get("Action"))))
        and ("*" in resources or all(any(r.endswith(f":{end}") for r in resources) for end in (bucket, f"{bucket}/*")))
        and list(condition) == ["Bool"]
        and {name.lower(): _listed(value) for name, value in condition["Bool"].items()}
        == {"aws:securetransport": ["false"]}
    )


def _principals(statement: dict[str, Any]) -> list[str]:
    named = statement.get("Principal")
    return _listed(named.get("AWS") if isinstance(named, dict) else named)


def _listed(value: Any) -> list[str]:
    """A policy's value, which is one or a list, as text in a list."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _is_here(endpoint: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
