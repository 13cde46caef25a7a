"""What AWS's errors mean, and that every wait of a client has an end."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from service import aws


def answered(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Anything")  # type: ignore[typeddict-item]  # the rest is not looked at


@pytest.mark.parametrize(
    ("error", "meanings"),
    [
        (answered("NoSuchKey", 404), {"is_missing"}),
        (answered("404", 404), {"is_missing"}),
        (answered("NoSuchBucket", 404), set()),  # a bucket that is gone says nothing of its objects
        (answered("PreconditionFailed", 412), {"is_taken"}),
        (answered("ConditionalRequestConflict", 409), {"is_taken"}),
        (answered("AccessDenied", 403), {"is_denied"}),
        (answered("NotImplemented", 501), {"is_unsupported", "is_uncertain"}),
        (answered("SlowDown", 503), {"is_uncertain"}),
        (answered("InternalError", 500), {"is_uncertain"}),
        (answered("TooManyRequests", 429), {"is_uncertain"}),
        (answered("BadDigest", 400), set()),
        (EndpointConnectionError(endpoint_url="x"), {"is_uncertain"}),
    ],
)
def test_each_answer_has_its_meaning(error: Exception, meanings: set[str]) -> None:
    asked = {"is_missing", "is_taken", "is_denied", "is_unsupported", "is_uncertain", "is_full"}
    assert {name for name in asked if getattr(aws, name)(error)} == meanings


def test_every_wait_has_an_end_and_payloads_are_not_hashed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-nobody")
    client = aws.s3_client(region="us-east-1", endpoint="http://127.0.0.1:1", connections=7)
    config: Any = client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (3, 20, 7)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.request_checksum_calculation == "when_required"
    assert config.s3 == {"payload_signing_enabled": False, "addressing_style": "path"}
    client.close()
