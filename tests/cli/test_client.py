from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from service.cli.client import Client, new_file
from service.errors import (
    BadInputError,
    KeyMissingError,
    MunimentError,
    NotFoundError,
    UnavailableError,
    all_errors,
)

Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def client() -> Iterator[Callable[[Answer], Client]]:
    opened: list[Client] = []

    def make(answer: Answer) -> Client:
        opened.append(Client("http://127.0.0.1", "mun_x", transport=httpx2.MockTransport(answer)))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def plain(pieces: Iterator[bytes], _total: int | None) -> Iterator[bytes]:
    return pieces


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: str(kind.code))
def test_every_error_comes_back_as_what_it_was(client: Callable[[Answer], Client], kind: type[MunimentError]) -> None:
    problem = {"code": kind.code, "detail": "What to do.", "status": kind.status, "field": "label"}
    asked = client(lambda _request: httpx2.Response(kind.status, json=problem))
    with pytest.raises(kind) as refused:
        asked.ask("GET", "/api/v1/me")
    assert type(refused.value) is kind
    assert refused.value.message == "What to do."
    assert refused.value.extra["field"] == "label"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.Response(404, text="<html>nginx</html>"), BadInputError),
        (httpx2.Response(502, text="bad gateway"), UnavailableError),
        (httpx2.Response(400, json=["no", "object"]), BadInputError),
        (httpx2.Response(500, json={"code": "of_another_version"}), UnavailableError),
        (httpx2.Response(500, text="x" * 1_000_000), UnavailableError),
    ],
)
def test_what_is_no_problem_document_becomes_the_nearest_error(
    client: Callable[[Answer], Client], answer: httpx2.Response, kind: type[MunimentError]
) -> None:
    with pytest.raises(kind) as refused:
        client(lambda _request: answer).ask("GET", "/api/v1/me")
    assert "html" not in refused.value.message
    assert str(answer.status_code) in refused.value.message


def test_pages_are_followed_to_the_end_and_the_query_stays(client: Callable[[Answer], Client]) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.query.decode())
        number = len(asked)
        return httpx2.Response(200, json={"items": [number], "next_cursor": f"c{number}" if number < 3 else None})

    assert list(client(answer).items("/api/v1/vendors", limit=1)) == [1, 2, 3]
    assert asked == ["limit=1", "limit=1&cursor=c1", "limit=1&cursor=c2"]


class BreakingOff(httpx2.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"the first half"
        raise httpx2.RemoteProtocolError("peer closed connection")


def test_a_body_that_breaks_off_leaves_no_file(client: Callable[[Answer], Client], tmp_path: Path) -> None:
    asked = client(lambda _request: httpx2.Response(200, stream=BreakingOff()))
    target = tmp_path / "letter.pdf"
    with pytest.raises(UnavailableError), new_file(target) as file:
        asked.fetch("GET", "/x", file, plain)
    assert list(tmp_path.iterdir()) == []


def _breaks_off(content: bytes) -> Iterator[bytes]:
    yield content
    raise httpx2.ReadError("gone")


WHOLE, TAG = bytes(range(256)) * 4096, {"etag": '"rev_1"', "accept-ranges": "bytes"}


def test_a_file_whose_line_breaks_is_gone_on_with(client: Callable[[Answer], Client]) -> None:
    asked: list[tuple[str | None, str | None]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent = request.headers.get("range")
        asked.append((sent, request.headers.get("if-range")))
        start = int(sent[6:-1]) if sent else 0
        end = start + 300_000 if len(asked) < 4 else len(WHOLE)
        body = _breaks_off(WHOLE[start:end]) if end < len(WHOLE) else WHOLE[start:]
        return httpx2.Response(206 if sent else 200, content=body, headers=TAG)

    target = io.BytesIO()
    client(answer).fetch("GET", "/x", target, plain)
    assert target.getvalue() == WHOLE
    # What had come of a piece that was not whole is asked for again.
    assert asked == [(None, None), *((f"bytes={at}-", TAG["etag"]) for at in (262_144, 524_288, 786_432))]


def test_a_line_that_breaks_again_and_again_is_given_up(client: Callable[[Answer], Client]) -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(206 if len(asked) > 1 else 200, content=_breaks_off(b""), headers=TAG)

    with pytest.raises(UnavailableError, match="broke"):
        client(answer).fetch("GET", "/x", io.BytesIO(), plain)
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("following", "said"),
    [
        (httpx2.Response(200, content=b"another file", headers=TAG), "replaced"),
        (httpx2.Response(404, json={"code": "not_found", "detail": "Access has ended."}), "ended"),
    ],
)
def test_the_rest_of_something_else_is_not_put_to_it(
    client: Callable[[Answer], Client], following: httpx2.Response, said: str
) -> None:
    answers = [httpx2.Response(200, content=_breaks_off(WHOLE), headers=TAG), following]
    with pytest.raises(MunimentError, match=said):
        client(lambda _request: answers.pop(0)).fetch("GET", "/x", io.BytesIO(), plain)


def test_what_only_a_post_gives_is_not_asked_for_twice(client: Callable[[Answer], Client]) -> None:
    answers = [httpx2.Response(200, content=_breaks_off(WHOLE), headers=TAG)]
    with pytest.raises(UnavailableError, match="broke"):
        client(lambda _request: answers.pop(0)).fetch("POST", "/x", io.BytesIO(), plain)


def test_a_file_that_was_there_stays_when_the_new_one_breaks_off(
    client: Callable[[Answer], Client], tmp_path: Path
) -> None:
    target = tmp_path / "letter.pdf"
    target.write_bytes(b"yesterday's")
    asked = client(lambda _request: httpx2.Response(503, json={"code": "key_missing", "detail": "Gone."}))
    with pytest.raises(KeyMissingError), new_file(target) as file:
        asked.fetch("GET", "/x", file, plain)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.pdf"]
    assert target.read_bytes() == b"yesterday's"


def test_time_that_runs_out_says_to_read_again_first(client: Callable[[Answer], Client]) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("slow", request=request)

    with pytest.raises(UnavailableError, match="before you repeat it"):
        client(answer).ask("POST", "/api/v1/vendors", body={"name": "x"})


def test_the_token_travels_in_its_header_alone(client: Callable[[Answer], Client]) -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(404, json={"code": "not_found"})

    with pytest.raises(NotFoundError) as refused:
        client(answer).ask("GET", "/api/v1/me")
    assert seen[0].headers["authorization"] == "Bearer mun_x"
    assert "mun_x" not in str(seen[0].url)
    assert "mun_x" not in str(refused.value)
