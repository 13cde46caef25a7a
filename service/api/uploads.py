"""Routes of resumable uploads, as tus 1.0 asks for them: begin, go on, ask, give up.

Any client of tus can be used. It sends its bearer token with every request, and names in Upload-Metadata where the file
goes: ``engagement_id``, ``part_id``, ``label``, ``title`` (or ``filename``), and if it likes ``sensitivity`` and
``filetype``. The header Muniment-Document in an answer names the document that the whole file became.

Source: tus resumable upload protocol 1.0, with Creation, Expiration, Checksum and Termination;
docs/adr/0017-resumable-uploads.md.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import RequestValidationError

from service.api.bodies import pieces_of
from service.api.shapes import IdempotencyKey, PathId
from service.errors import MunimentError, UnauthenticatedError
from service.httpdeps import (
    CallerDep,
    ServicesDep,
    StrictRoute,
    answer_muniment_error,
    answer_validation_error,
    caller_of,
    services_of,
)
from service.uploads import checksums, resumable
from service.uploads.errors import MediaTypeError, TusVersionError
from service.uploads.purpose import PURPOSE_CHARACTERS

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,expiration,checksum,termination"
PIECE_TYPE: Final = "application/offset+octet-stream"
MOST: Final = 2**53 - 1  # what every client can count
_RAW: Final = {
    "requestBody": {"required": True, "content": {PIECE_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


class TusRoute(StrictRoute):
    """A route that speaks tus: it wants the version in every request, and says it in every answer, refusals too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handler = super().get_route_handler()

        async def speak(request: Request) -> Response:
            try:
                caller_of(request)
                if request.headers.get("tus-resumable") != VERSION:
                    raise TusVersionError
                response = await handler(request)
            except UnauthenticatedError:
                raise  # without a token in force every operation of the API answers the same
            except MunimentError as error:
                response = await answer_muniment_error(request, error)
                if isinstance(error, TusVersionError):
                    response.headers["Tus-Version"] = VERSION
            except RequestValidationError as error:
                response = await answer_validation_error(request, error)
            response.headers["Tus-Resumable"] = VERSION
            return response

        return speak


router = APIRouter(tags=["uploads"], route_class=TusRoute)
# What the server can, asked before anything is sent; it says nothing of anybody and needs no token.
asking = APIRouter(tags=["uploads"])

Version = Annotated[str, Header(alias="Tus-Resumable", max_length=20, description=f"Always {VERSION}.")]


@asking.options("/uploads", status_code=204, include_in_schema=False)
async def can(request: Request) -> Response:
    """Say what of tus is spoken here."""
    answer = Response(status_code=204)
    answer.headers["Tus-Resumable"] = answer.headers["Tus-Version"] = VERSION
    answer.headers["Tus-Extension"] = EXTENSIONS
    answer.headers["Tus-Max-Size"] = str(services_of(request).settings.max_upload_bytes)
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(checksums.ALGORITHMS)
    return answer


@router.post("/uploads", status_code=201, operation_id="create_upload", response_class=Response)
async def create(
    services: ServicesDep,
    caller: CallerDep,
    length: Annotated[int, Header(alias="Upload-Length", ge=0, le=MOST, description="Bytes of the whole file.")],
    purpose: Annotated[
        str,
        Header(alias="Upload-Metadata", max_length=PURPOSE_CHARACTERS, description="engagement_id, part_id, label, …"),
    ],
    _version: Version = VERSION,
    _key: IdempotencyKey = None,
) -> Response:
    """Begin an upload that may take several requests (tus 1.0); Location says where its bytes go."""
    upload = await resumable.create(services, caller, purpose, length)
    answer = _said(upload, 201)
    answer.headers["Location"] = f"/api/v1/uploads/{upload.id}"
    return answer


@router.head("/uploads/{upload_id}", operation_id="describe_upload", response_class=Response)
async def look(services: ServicesDep, caller: CallerDep, upload_id: PathId, _version: Version = VERSION) -> Response:
    """Ask how much of an upload has arrived."""
    upload = await resumable.look(services, caller, upload_id)
    answer = _said(upload, 200)
    answer.headers["Upload-Length"] = str(upload.size_bytes)
    answer.headers["Upload-Metadata"] = upload.purpose
    return answer


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    operation_id="append_upload",
    response_class=Response,
    openapi_extra=_RAW,
)
async def append(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    upload_id: PathId,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0, le=MOST, description="Where these bytes begin.")],
    checksum: Annotated[
        str | None, Header(alias="Upload-Checksum", max_length=200, description="sha256 or sha1, and Base64.")
    ] = None,
    _version: Version = VERSION,
) -> Response:
    """Send bytes of an upload, from where the last ones ended; the last ones make the document."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PIECE_TYPE:
        raise MediaTypeError
    announced = request.headers.get("content-length")
    upload = await resumable.receive(
        services,
        caller,
        upload_id,
        offset,
        None if announced is None else int(announced),
        None if checksum is None else checksums.Checksum(checksum),
        pieces_of(request),
    )
    return _said(upload, 204)


@router.delete("/uploads/{upload_id}", status_code=204, operation_id="end_upload", response_class=Response)
async def end(services: ServicesDep, caller: CallerDep, upload_id: PathId, _version: Version = VERSION) -> Response:
    """Give an upload up; what had arrived is deleted. A document that it became already stays."""
    await resumable.end(services, caller, upload_id)
    return Response(status_code=204)


def _said(upload: resumable.Upload, status: int) -> Response:
    answer = Response(status_code=status)
    answer.headers["Upload-Offset"] = str(upload.received_bytes)
    if upload.document_id is None:
        answer.headers["Upload-Expires"] = formatdate(upload.expires_at, usegmt=True)
    else:
        answer.headers["Muniment-Document"] = upload.document_id
    return answer
