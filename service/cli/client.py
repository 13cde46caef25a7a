"""The commands' side of the HTTP API: one request, its answer, or the same error that the service raised.

Rules kept here:

* a problem document becomes the error class of its code again (`service.errors`), so that exit codes cannot drift;
* what is downloaded appears under its name only when it is whole, and only its owner may read it;
* no token in a message, a file's name, an address or the list of processes.

It knows no nouns: those come from the API's own description (see `service.cli.description`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import httpx2

from service.config import Settings
from service.errors import BadInputError, MunimentError, UnauthenticatedError, UnavailableError, all_errors

CONNECT_S: Final = 10.0
ANSWER_S: Final = 60.0  # a commit or the next piece of a body may take this long
ERROR_BYTES: Final = 65_536
PIECE_BYTES: Final = 262_144
PARTIAL: Final = 206
RESUMES: Final = 5  # breaks of one line; who has more of them has another trouble

Pieces = Callable[[Iterator[bytes], int | None], Iterator[bytes]]
"""Passes the pieces of a body on (and may count them); the number is the announced size in bytes."""


class Client:
    """Asks one service in one membership.

    Args:
        url: where the service is, without /api/v1.
        token: the bearer token; empty for what needs none.
        trust_env: honour the proxies that the environment names.
        transport: what carries the requests, in tests.

    Raises:
        BadInputError: the URL is none.
    """

    def __init__(
        self, url: str, token: str, *, trust_env: bool = True, transport: httpx2.BaseTransport | None = None
    ) -> None:
        if not url.startswith(("http://", "https://")) or not url.partition("://")[2]:
            raise BadInputError("MUNIMENT_URL is no address: it looks like http://127.0.0.1:8420.")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        self._http = httpx2.Client(
            base_url=url, headers=headers, timeout=timeout, trust_env=trust_env, transport=transport
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        content: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send a request and return its answer.

        Args:
            path: under the service's address, such as /api/v1/vendors.
            body: sent as JSON.
            content: sent as it is.

        Raises: the error that the service answered with; `UnavailableError` when nobody answers.
        """
        with _answered(self._http.base_url):
            answer = self._http.request(
                method, path, params=_present(query), json=body, content=content, headers=_present(headers)
            )
        if answer.is_error:
            raise error_of(answer)
        return answer

    def read(self, path: str, **query: Any) -> Any:
        """Read a thing or a page as JSON."""
        return self.ask("GET", path, query=query).json()

    def items(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the things of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.read(path, **{**query, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def etag(self, path: str) -> str:
        """Read a thing for its ETag."""
        return str(self.ask("GET", path).headers["etag"])

    def fetch(self, method: str, path: str, target: IO[bytes], watch: Pieces, **sent: Any) -> httpx2.Response:
        """Send a request and write its answer's body to `target` as it comes; a file whose line breaks is gone on with.

        Raises: as `ask`; the reason why the rest is not given, where access ended meanwhile; `UnavailableError` when
            the body breaks off and cannot be gone on with.
        """
        with _answered(self._http.base_url), self._http.stream(method, path, **sent) as answer:
            _refuse(answer)
            announced = answer.headers.get("content-length")
            arriving = self._arriving(path, sent, answer, 0, RESUMES if method == "GET" else 0)
            for piece in watch(arriving, int(announced) if announced else None):
                target.write(piece)
            return answer

    def _arriving(
        self, path: str, sent: Mapping[str, Any], answer: httpx2.Response, start: int, resumes: int
    ) -> Iterator[bytes]:
        """Yield a body from its byte `start` on; after a break ask for the rest, of the very same bytes alone."""
        try:
            for piece in answer.iter_bytes(PIECE_BYTES):
                start += len(piece)
                yield piece
        except (httpx2.ReadError, httpx2.RemoteProtocolError):
            if not resumes or answer.headers.get("accept-ranges") != "bytes":
                raise
        else:
            return
        asked = {"Range": f"bytes={start}-", "If-Range": answer.headers["etag"]}
        rest = {**sent, "headers": {**(sent.get("headers") or {}), **asked}}
        with self._http.stream("GET", path, **rest) as following:
            _refuse(following)
            if following.status_code != PARTIAL:
                raise UnavailableError("It was replaced while it was being sent. What arrived was thrown away.")
            yield from self._arriving(path, sent, following, start, resumes - 1)


def open_client(settings: Settings, token_file: Path | None) -> Client:
    """Make the client that the environment describes.

    Raises:
        UnauthenticatedError: there is no token anywhere.
    """
    named = token_file or (settings.token_file if settings.token_file != Path() else None)
    token = settings.token.get_secret_value() if token_file is None else ""
    if not token and named is not None:
        token = named.read_text(encoding="utf-8").strip()
    if not token:
        raise UnauthenticatedError("Set MUNIMENT_TOKEN, or name a file that holds the token with --token-file.")
    if not (token.isascii() and token.isprintable()):
        raise UnauthenticatedError("What was given as a token is none.")
    return Client(settings.url, token)


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that gets its name only when everything was written; readable by its owner alone."""
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _refuse(answer: httpx2.Response) -> None:
    if answer.is_error:
        answer.read()
        raise error_of(answer)


def error_of(answer: httpx2.Response) -> MunimentError:
    """Make the error of a problem document again; anything else becomes the nearest one."""
    try:
        document = answer.json() if len(answer.content) <= ERROR_BYTES else {}
    except ValueError:
        document = {}
    problem = document if isinstance(document, dict) else {}
    known = {kind.code: kind for kind in all_errors()}
    nearest = UnavailableError if answer.is_server_error else BadInputError
    detail = problem.get("detail")
    fallback = f"The service answered {answer.status_code}. Is MUNIMENT_URL the address of Muniment?"
    kind = known.get(str(problem.get("code")), nearest)
    error = kind.__new__(kind)
    # Past the class's own signature: one that is raised with more than a sentence comes back with the sentence alone.
    MunimentError.__init__(error, str(detail) if detail else fallback, extra=problem)
    return error


@contextmanager
def _answered(url: httpx2.URL) -> Iterator[None]:
    """Translate what goes wrong on the way."""
    try:
        yield
    except httpx2.ConnectError:
        raise UnavailableError(
            f"Nobody answers at {url}. Start the service with `muniment serve`, or set MUNIMENT_URL."
        ) from None
    except httpx2.TimeoutException:
        raise UnavailableError(
            "The service did not answer in time. Read the thing again before you repeat it."
        ) from None
    except httpx2.TransportError:
        raise UnavailableError(
            "The connection broke before the answer was whole. What arrived was thrown away."
        ) from None


def _present(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}
