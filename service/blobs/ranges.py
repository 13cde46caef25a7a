"""Objects that are read at any place: one answer is read on as long as the places follow one another. Blocking.

The object's ETag is taken when it is opened and asked for with every later request: what was put in its place
meanwhile is refused, never mixed in. An answer that breaks off is asked for again from where it broke.

Source: AWS S3 API reference, "GetObject" (``Range``, ``If-Match``).
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from service import aws
from service.blobs.objects import Objects, translated
from service.errors import BadStateError, BlobMissingError, StoreUnavailableError

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_TRIES: Final = 3


class OpenObject:
    """An object that is read at any place, from any thread."""

    def __init__(self, objects: Objects, blob_id: str) -> None:
        """Ask for the whole object; nothing of its bytes is read yet.

        Raises:
            BlobMissingError: there is none.
            StoreUnavailableError: the store does not answer, or not so.
        """
        self._objects, self._key = objects, objects.key(blob_id)
        self._lock = Lock()
        self._closed = False
        try:
            answer = objects.client.get_object(Bucket=objects.bucket, Key=self._key)
            aws.require(answer, "ContentLength", "ETag")
        except aws.AwsError as error:
            raise _missing_or_away(error) from error
        self.size, self._etag = answer["ContentLength"], answer["ETag"]
        self._body: StreamingBody | None = answer["Body"]
        self._body_at, self._body_end = 0, self.size

    def read_at(self, offset: int, length: int, *, onward: bool = False) -> bytes:
        """Return ``length`` bytes from ``offset``, which lie within the object.

        Args:
            onward: what follows will be read next, so it is asked for in the same request.
        """
        with self._lock:
            for attempt in range(_TRIES):
                if self._closed:
                    raise BadStateError("This blob was closed.")
                try:
                    return self._read(offset, length, onward=onward)
                except aws.AwsError as error:
                    self._drop()
                    if attempt + 1 == _TRIES or aws.error_code(error):
                        raise _missing_or_away(error) from error
        raise StoreUnavailableError

    def close_if_idle(self) -> bool:
        """Close the object unless a thread reads it; say whether it is closed."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._close()
        finally:
            self._lock.release()
        return True

    def close(self) -> None:
        """Close the object, after the thread that reads it; may be called again."""
        with self._lock:
            self._close()

    def _read(self, offset: int, length: int, *, onward: bool) -> bytes:
        if self._body is None or self._body_at != offset or self._body_end < offset + length:
            self._ask(offset, self.size if onward else offset + length)
        body = self._body
        pieces: list[bytes] = []
        while length and body is not None:
            piece = body.read(length)
            if not piece:  # botocore has refused an answer that is shorter than it said; this one said so
                raise StoreUnavailableError
            pieces.append(piece)
            self._body_at += len(piece)
            length -= len(piece)
        if self._body_at == self._body_end:
            self._drop()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _ask(self, start: int, end: int) -> None:
        """Ask for the bytes from ``start`` to before ``end``."""
        self._drop()
        answer = self._objects.client.get_object(
            Bucket=self._objects.bucket, Key=self._key, Range=f"bytes={start}-{end - 1}", IfMatch=self._etag
        )
        self._body, self._body_at, self._body_end = answer["Body"], start, end
        if answer.get("ContentRange") != f"bytes {start}-{end - 1}/{self.size}":
            raise StoreUnavailableError  # a server that ignores Range would give other bytes

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def _close(self) -> None:
        self._closed = True
        self._drop()


def _missing_or_away(error: Exception) -> StoreUnavailableError:
    if aws.is_missing(error):
        return BlobMissingError()
    found = translated(error)
    return found if isinstance(found, StoreUnavailableError) else StoreUnavailableError()
