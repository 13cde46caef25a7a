"""AWS clients as Muniment wants them, and what their errors mean. The only importer of boto3.

Rules kept here:

* every wait has an end: connecting 3 s, silence 20 s, three tries of each request in all;
* whose rights are used is boto3's own chain to find out (environment, instance role); our settings hold no secrets;
* each client has a session of its own: boto3's default one keeps the first credentials that it found;
* a checksum goes with a request where our code asks for one, and never unasked;
* over https a payload is not hashed again for its signature (a body of 1 GiB would cost 0.6 s): TLS, the CRC that our
  code sends and the seal each guard it already.

Clients are safe for several threads. Nothing here decides what an error means for a use case.

Source: botocore 1.44, ``botocore.config.Config``; AWS S3 and KMS API references, "Error responses".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from boto3.session import Session
from botocore import loaders, session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import add_expect_header
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S: Final = 3
READ_TIMEOUT_S: Final = 20
TRIES: Final = 3
_KMS_CONNECTIONS: Final = 16
AwsError: Final = (BotoCoreError, ClientError, ResponseParserError)

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion", "NoSuchUpload"})
_TAKEN: Final = frozenset({"412", "409", "PreconditionFailed", "ConditionalRequestConflict"})
_DENIED: Final = frozenset(
    {
        "401",
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_UNSUPPORTED: Final = frozenset({"501", "NotImplemented", "MethodNotAllowed", "405"})
_FULL: Final = frozenset({"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"})


def s3_client(*, region: str, endpoint: str, connections: int) -> S3Client:
    """A client of S3.

    Args:
        region: AWS region; empty leaves it to boto3's chain.
        endpoint: URL of a server that is not AWS's own (SeaweedFS, say), addressed by path; empty for AWS.
        connections: how many requests may be under way together.
    """
    client = _session().client(
        "s3",
        region_name=region or None,
        endpoint_url=endpoint or None,
        config=_config(connections).merge(
            Config(s3={"payload_signing_enabled": False, "addressing_style": "path" if endpoint else "auto"})
        ),
    )
    client.meta.events.register("before-parse.s3", _refuse_empty)
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client


def kms_client(*, region: str, endpoint: str) -> KMSClient:
    """A client of KMS; arguments as in `s3_client`."""
    client = _session().client(
        "kms", region_name=region or None, endpoint_url=endpoint or None, config=_config(_KMS_CONNECTIONS)
    )
    client.meta.events.register("after-call.kms", _refuse_strange)
    return client


def error_code(error: Exception) -> str:
    """The code that the service answered with; empty where no answer came."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_missing(error: Exception) -> bool:
    """Say whether the service answered that there is no such thing. A bucket that is not there is never this."""
    return error_code(error) in _MISSING


def is_taken(error: Exception) -> bool:
    """Say whether a conditional write was refused: there is such an object, or another write of it is under way."""
    return error_code(error) in _TAKEN


def is_denied(error: Exception) -> bool:
    """Say whether our credentials may not do this, or are none."""
    return error_code(error) in _DENIED


def is_unsupported(error: Exception) -> bool:
    """Say whether the server does not know this request (a store that is not AWS's own)."""
    return error_code(error) in _UNSUPPORTED


def is_full(error: Exception) -> bool:
    """Say whether the store has no room left."""
    return error_code(error) in _FULL


def is_uncertain(error: Exception) -> bool:
    """Say whether the request may have been carried out all the same: no answer, or one of the server's own trouble."""
    if not isinstance(error, ClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return not 400 <= status < 500 or status in {408, 429}  # noqa: PLR2004  # classes of HTTP status


def require(answer: Mapping[str, Any], *names: str) -> None:
    """Refuse an answer without the headers that every whole one has: it broke off within them.

    Raises:
        ResponseParserError: one of ``names`` is missing; among `AwsError`, and nothing is certain.
    """
    if any(name not in answer for name in names):
        raise ResponseParserError("the answer broke off")


def _refuse_empty(response_dict: Mapping[str, Any], operation_model: OperationModel, **_more: object) -> None:
    """Refuse an answer without the body that it must have.

    botocore takes what broke off before its body for whole: a listing would be empty, and a bucket without versions.

    Raises:
        ResponseParserError: among `AwsError`, and nothing is certain.
    """
    if response_dict["body"] or response_dict["status_code"] != HTTPStatus.OK or operation_model.has_streaming_output:
        return
    members = operation_model.output_shape.members.values() if operation_model.output_shape else ()
    if any("location" not in member.serialization for member in members):
        raise ResponseParserError("the answer broke off")


def _refuse_strange(http_response: AWSResponse, parsed: Mapping[str, Any], model: OperationModel, **_: object) -> None:
    """Refuse an answer of KMS of which nothing was understood.

    botocore takes JSON that broke off for a message of no known form.

    Raises:
        ResponseParserError: among `AwsError`, and nothing is certain.
    """
    members = model.output_shape.members if model.output_shape else {}
    if http_response.status_code == HTTPStatus.OK and members and not members.keys() & parsed.keys():
        raise ResponseParserError("the answer broke off")


def _session() -> Session:
    found = session.get_session()
    found.register_component("data_loader", _descriptions())
    return Session(botocore_session=found)


@cache
def _descriptions() -> loaders.Loader:
    """What botocore knows of the services: read and parsed once a process, for that takes longer than a request."""
    return loaders.create_loader()


def _config(connections: int) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=connections,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        tcp_keepalive=True,
        user_agent="muniment",
    )
