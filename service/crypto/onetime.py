"""One-time codes that an authenticator shows: TOTP, six digits, SHA-1, a new one every 30 seconds.

Rules kept here:

* the form that every authenticator app knows; there is no choice of algorithm, digits or period;
* a code counts for the step of time that it was shown in, the one before and the one after: clocks differ, people are
  slow; and never for a step that is not later than the one that was used last, so that no code counts twice.

It does not remember which was used, and counts no wrong ones: service/authenticators.py does.

Source: RFC 6238 (TOTP), RFC 4226 (HOTP), section 5.2 on the single use; the URI is Google Authenticator's key format.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES: Final = 20  # RFC 4226, section 4: 160 bits
DIGITS: Final = 6
STEP_S: Final = 30
SKEW_STEPS: Final = 1


def new_secret(random: Callable[[int], bytes]) -> str:
    """Return a new secret in base32, 32 characters, as people type it."""
    return base64.b32encode(random(SECRET_BYTES)).decode()


def uri(secret: str, account: str, issuer: str) -> str:
    """Return the address that an authenticator reads from a QR code; it holds the secret."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def code(secret: str, step: int) -> str:
    """Return the code of one step of time (UTC seconds divided by `STEP_S`)."""
    return _totp(secret).generate(step * STEP_S).decode()


def step_of(secret: str, said: str, now_s: int, last: int) -> int | None:
    """Return the step of time that a code was shown in; None where it is wrong, too old, or used.

    Args:
        now_s: UTC seconds.
        last: the step of the last code that was taken; this and earlier ones do not count any more.
    """
    totp, now = _totp(secret), now_s // STEP_S
    for step in range(max(now - SKEW_STEPS, last + 1), now + SKEW_STEPS + 1):
        try:
            totp.verify(said.encode(), step * STEP_S)
        except InvalidToken:
            continue
        return step
    return None


def _totp(secret: str) -> TOTP:
    # SHA-1 in an HMAC is not what is broken about SHA-1, and many authenticators know nothing else.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_S)  # noqa: S303
