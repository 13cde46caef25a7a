"""Policy epochs: the name under which entries cite the rules they were decided by.

An epoch is the SHA-256 of the policy files, so whoever holds the files can tell whether a decision was made under them.
Under an engagement's overlay it is made of that and of the overlay's rows, which stand in the entry that set them.
Nothing here reads what the rules say.

Source: FORMAT.md, section 7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from audit.errors import UnusableError

FILES: Final = ("model.conf", "policy.csv", "duties.csv", "answers.csv")
POLICY_BYTES: Final = 1 << 20  # all files of an epoch as JSON
_UNDER: Final = b"muniment overlay v1\x00"


def epoch(files: Mapping[str, bytes]) -> str:
    """Compute the epoch of a set of policy files: 64 hex digits.

    Raises:
        UnusableError: not exactly the four files.
    """
    if set(files) != set(FILES):
        raise UnusableError(f"a policy is {', '.join(FILES)}", evidence={"files": ascii(sorted(files))})
    digest = sha256()
    for name in FILES:
        # With its length before it, no byte can move from one file to the next without changing the epoch.
        digest.update(len(files[name]).to_bytes(8, "big") + files[name])
    return digest.hexdigest()


def epoch_under(base: str, overlay: Sequence[str]) -> str:
    """Compute the epoch of a policy under an engagement's overlay: 64 hex digits.

    Args:
        base: the policy's own epoch.
        overlay: the rows, as the entry that set them has them; none is the policy itself.
    """
    if not overlay:
        return base
    return sha256(_UNDER + bytes.fromhex(base) + sha256("\n".join(overlay).encode()).digest()).hexdigest()


def to_json(files: Mapping[str, bytes]) -> bytes:
    """Write policy files as the one canonical JSON object.

    Raises:
        UnusableError: not the four files, not UTF-8, or more than 1 MiB together.
    """
    try:
        texts = {name: content.decode() for name, content in files.items()}
    except UnicodeDecodeError as error:
        raise UnusableError("policy files are UTF-8") from error
    epoch(files)
    written = json.dumps(texts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    if len(written) > POLICY_BYTES:
        raise UnusableError(
            f"policy files have at most {POLICY_BYTES} bytes together", evidence={"bytes": len(written)}
        )
    return written


def from_json(data: bytes) -> dict[str, bytes]:
    """Read what `to_json` wrote, and no other spelling of it.

    Raises:
        UnusableError: another spelling, or not the four files.
    """
    try:
        texts = json.loads(data)
        files = {name: text.encode() for name, text in texts.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise UnusableError("the policy is not a JSON object of texts") from error
    if to_json(files) != data:
        raise UnusableError("the policy is not in canonical form")
    return files
