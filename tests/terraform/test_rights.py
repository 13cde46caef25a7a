"""Who may do what, tried on the policies as terraform renders them: rights.csv is the whole table, "no" included.

``administrator`` is somebody of the same account whose own policy allows everything: what stops him is said by buckets
and keys alone. ``service`` is the one role of ``one_process``.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.terraform.conftest import Mocked
from tests.terraform.rights import Request, Statement, UnknownPolicyError, is_allowed

ACCOUNT: Final = "111122223333"
ROLES: Final = ("web", "disposer", "signer", "service", "administrator")
_ANYTHING: Final = ({"Effect": "Allow", "Action": "*", "Resource": "*"},)
_STORE: Final = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/store"

Context = dict[str, str | tuple[str, ...]]

# Every word of the column "how", and what a request then says of itself.
_USUAL: Final[Context] = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "s3:authType": "REST-HEADER"}
_KEY_HEADER: Final = "s3:x-amz-server-side-encryption-aws-kms-key-id"
_THROUGH_S3: Final[Context] = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
HOW: Final[dict[str, Context]] = {
    "once": {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"},
    "over": {"s3:ObjectCreationOperation": "true"},
    "part": {"s3:ObjectCreationOperation": "false"},
    "http": {"aws:SecureTransport": "false"},
    "tls-1.1": {"s3:TlsVersion": "1.1"},
    "link": {"s3:authType": "REST-QUERY-STRING"},
    "form": {"s3:authType": "POST"},
    "our-kms-key": {"s3:x-amz-server-side-encryption": "aws:kms", _KEY_HEADER: _STORE},
    "other-kms-key": {"s3:x-amz-server-side-encryption": "aws:kms", _KEY_HEADER: _STORE + "-of-a-thief"},
    "s3-key": {"s3:x-amz-server-side-encryption": "AES256"},
    "callers-key": {"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"},
    "compliance": {"s3:object-lock-mode": "COMPLIANCE", "s3:object-lock-remaining-retention-days": "2556"},
    "governance": {"s3:object-lock-mode": "GOVERNANCE", "s3:object-lock-remaining-retention-days": "2556"},
    "short": {"s3:object-lock-remaining-retention-days": "1"},
    "our-context": {"kms:EncryptionContext:muniment": "AAAA", "kms:EncryptionContextKeys": ("muniment",)},
    "no-context": {},
    "foreign-context": {"kms:EncryptionContext:other": "AAAA", "kms:EncryptionContextKeys": ("other",)},
    "and-more": {"kms:EncryptionContext:other": "AAAA", "kms:EncryptionContextKeys": ("muniment", "other")},
    "for-documents": _THROUGH_S3 | {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::hale-documents"},
    "for-keys": _THROUGH_S3 | {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::hale-keys-2"},
    "for-an-object-of-keys": _THROUGH_S3 | {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::hale-keys-1/object"},
    "for-elsewhere": _THROUGH_S3 | {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::hale-elsewhere"},
    "directly": {"kms:ViaService": ""},
}

with (Path(__file__).parent / "rights.csv").open(encoding="utf-8", newline="") as file:
    ROWS: Final = list(csv.DictReader(file))


def _request(role: str, row: Mapping[str, str]) -> Request:
    context: Context = dict(_USUAL if row["action"].startswith("s3:") else {})
    for word in row["how"].split():
        context |= HOW[word]
    is_key = row["action"].startswith("kms:")
    prefix = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/" if is_key else "arn:aws:s3:::hale-"
    principal = f"arn:aws:iam::{ACCOUNT}:role/hale-{role}"
    said = {key: value for key, value in context.items() if value}
    said["aws:PrincipalArn"] = principal
    return Request(principal, row["action"], prefix + row["resource"], said)


def _own(resources: Mapping[str, dict[str, Any]], role: str) -> list[Statement]:
    if role == "administrator":
        return list(_ANYTHING)
    return [
        statement
        for address, values in resources.items()
        if address.startswith(f'aws_iam_role_policy.process["{role}-')
        for statement in json.loads(values["policy"])["Statement"]
    ]


def _resources(resources: Mapping[str, dict[str, Any]], resource: str) -> list[Statement]:
    room, dash, number = resource.partition("/")[0].partition("-")
    address = {
        "documents": "aws_s3_bucket_policy.documents",
        "anchors": "aws_s3_bucket_policy.anchors",
        "keys": f'aws_s3_bucket_policy.keys["keys{dash}{number}"]',
        "root": "aws_kms_key.root",
        "store": "aws_kms_key.store",
    }.get(room)
    if address is None:  # somebody else's bucket: nothing of ours is said about it
        return []
    statements: list[Statement] = json.loads(resources[address]["policy"])["Statement"]
    return statements


@pytest.fixture(scope="session")
def installations(mocked: Mocked) -> dict[str, dict[str, dict[str, Any]]]:
    """Role -> the resources of the installation that has it."""
    apart, together = mocked.runs["as_it_comes"], mocked.runs["two_places_one_process"]
    return {role: together if role == "service" else apart for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_do_what_the_table_says_and_no_more(
    role: str, installations: dict[str, dict[str, dict[str, Any]]]
) -> None:
    resources = installations[role]
    own = _own(resources, role)
    assert own
    wrong = [
        f"{row['action']} {row['resource']} {row['how']}: {row[role]} expected"
        for row in ROWS
        if is_allowed(_request(role, row), own, _resources(resources, row["resource"])) != (row[role] == "yes")
    ]
    assert wrong == []


@pytest.mark.parametrize("role", ["web", "disposer", "signer"])
def test_a_role_is_given_exactly_what_it_uses(role: str, installations: dict[str, dict[str, dict[str, Any]]]) -> None:
    # A right that a bucket takes away again is one too many: the next change of the bucket's policy would bring it out.
    used = {row["action"] for row in ROWS if row[role] == "yes" and row["action"].startswith("s3:")}
    actions = [statement["Action"] for statement in _own(installations[role], role)]
    assert set(itertools.chain(*([each] if isinstance(each, str) else each for each in actions))) == used


def test_no_bucket_policy_gives_a_right(installations: dict[str, dict[str, dict[str, Any]]]) -> None:
    statements = [
        statement
        for address, values in installations["web"].items()
        if address.startswith("aws_s3_bucket_policy.")
        for statement in json.loads(values["policy"])["Statement"]
    ]
    assert statements
    assert {statement["Effect"] for statement in statements} == {"Deny"}


def test_only_tasks_of_the_account_take_a_role(installations: dict[str, dict[str, dict[str, Any]]]) -> None:
    for role in ("web", "disposer", "signer", "service"):
        trust = json.loads(installations[role][f'aws_iam_role.process["{role}"]']["assume_role_policy"])["Statement"]
        assert [statement["Principal"] for statement in trust] == [{"Service": "ecs-tasks.amazonaws.com"}]
        assert trust[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


# The reader itself ----------------------------------------------------------------------------------------------------

PUT: Final = Request("arn:aws:iam::1:role/a", "s3:PutObject", "arn:aws:s3:::b/k", {"present": "x"})
ALLOW: Final = {"Effect": "Allow", "Action": "s3:Put*", "Resource": "arn:aws:s3:::b/*"}


def _deny(condition: object) -> dict[str, object]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*", "Condition": condition}


def test_what_nobody_allows_is_denied() -> None:
    assert not is_allowed(PUT, [], [])
    assert is_allowed(PUT, [ALLOW], [])
    assert not is_allowed(PUT, [ALLOW | {"Resource": "arn:aws:s3:::c/*"}], [])
    assert not is_allowed(PUT, [ALLOW | {"Action": "s3:Get*"}], [])


@pytest.mark.parametrize(
    ("condition", "denied"),
    [
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"absent": "false"}}, False),
        ({"Null": {"present": "true"}}, False),
        ({"StringEquals": {"present": ["x", "y"]}}, True),
        ({"StringEquals": {"present": "y"}}, False),
        ({"StringEquals": {"absent": "x"}}, False),
        ({"StringNotEquals": {"present": "x"}}, False),
        ({"StringNotEquals": {"present": ["y", "z"]}}, True),
        ({"StringNotEquals": {"absent": "x"}}, True),  # the trap: silence passes a negated test
        ({"StringNotEquals": {"absent": "x"}, "Null": {"absent": "false"}}, False),
        ({"NumericLessThan": {"absent": "1"}}, False),
        ({"StringLike": {"present": "?"}}, True),
        ({"ForAllValues:StringEquals": {"absent": "x"}}, True),  # the other trap: none at all is all of them
    ],
)
def test_a_condition_is_read_as_aws_reads_it(condition: object, denied: bool) -> None:
    assert is_allowed(PUT, [ALLOW], [_deny(condition)]) is not denied


def test_a_key_opens_only_to_whom_its_policy_names() -> None:
    ask = Request("arn:aws:iam::1:role/a", "kms:Decrypt", "key")
    own = [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]
    named = {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Principal": {"AWS": ["arn:aws:iam::1:role/a"]},
    }
    account = named | {"Principal": {"AWS": "arn:aws:iam::1:root"}}
    assert not is_allowed(ask, own, [])
    assert is_allowed(ask, [], [named])
    assert is_allowed(ask, own, [account])
    assert not is_allowed(ask, [], [account])


@pytest.mark.parametrize(
    "statement",
    [
        _deny({"DateLessThan": {"present": "x"}}),
        _deny({"StringLike": {"present": "${aws:username}"}}),
        _deny({}) | {"Principal": {"Federated": "x"}},
        _deny({}) | {"NotAction": "s3:GetObject"},
    ],
)
def test_what_the_reader_does_not_know_it_does_not_guess(statement: dict[str, object]) -> None:
    with pytest.raises(UnknownPolicyError):
        is_allowed(PUT, [ALLOW], [statement])
