"""The text of a token: what passes for one, and that it is shown nowhere."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import tokens
from service.errors import UnauthenticatedError

firms = st.binary(min_size=16, max_size=16).map(lambda raw: f"frm_{raw.hex()}")
secrets = st.binary(min_size=32, max_size=32)


@given(firms, secrets)
def test_a_token_that_was_drawn_parses_to_its_firm_and_hash(firm_id: str, secret: bytes) -> None:
    new = tokens.draw("tok_1", firm_id, secret)
    assert len(new.text) == tokens.TOKEN_CHARACTERS
    assert tokens.parse(new.text) == tokens.Credential(firm_id, new.secret_hash)
    assert new.secret_hash == hashlib.sha256(bytes.fromhex(firm_id[4:]) + secret).digest()


@given(firms, firms, secrets)
def test_the_firm_is_part_of_what_is_hashed(one: str, other: str, secret: bytes) -> None:
    hashes = {tokens.draw("tok_1", firm_id, secret).secret_hash for firm_id in (one, other)}
    assert len(hashes) == len({one, other})


@given(firms, secrets)
def test_neither_text_nor_secret_is_in_its_repr(firm_id: str, secret: bytes) -> None:
    new = tokens.draw("tok_1", firm_id, secret)
    shown = repr(new)
    assert not any(each in shown for each in (new.text[4:], new.secret_hash.hex(), repr(new.secret_hash)))


@given(st.one_of(st.text(max_size=80), st.text(min_size=64, max_size=64).map(lambda text: "mun_" + text)))
def test_anything_else_is_no_token(text: str) -> None:
    try:
        credential = tokens.parse(text)
    except UnauthenticatedError:
        return
    assert text.isascii()  # hypothesis found 64 characters of base64url: a claim, to be looked up
    assert len(credential.firm_id) == 36


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mun_",
        "mun_" + "A" * 63,
        "mun_" + "A" * 65,
        "MUN_" + "A" * 64,
        "mun-" + "A" * 64,
        "mun_" + "A" * 63 + "=",
        "mun_" + "A" * 63 + "+",
        "mun_" + "A" * 63 + "\n",
        "mun_" + "\uff21" * 64,
        " mun_" + "A" * 63,
    ],
)
def test_what_has_not_the_form_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        tokens.parse(text)
