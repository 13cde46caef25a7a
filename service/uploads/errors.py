"""What can go wrong with a file that comes in pieces; a branch of the tree in `service.errors`, with its rules."""

from __future__ import annotations

from service.errors import EXIT_BAD_INPUT, EXIT_CONFLICT, EXIT_NOT_FOUND, BadInputError, MunimentError


class WrongOffsetError(MunimentError):
    """A piece of a resumable upload does not begin where the last one ended; `extra` has `offset`."""

    code, status, exit_code = "wrong_offset", 409, EXIT_CONFLICT
    title = "Not where the last piece ended"
    detail = "Ask with HEAD how much has arrived, and go on from there."


class ChecksumError(MunimentError):
    """A piece arrived with another checksum than its sender names."""

    code, status, exit_code = "checksum_mismatch", 460, EXIT_BAD_INPUT
    title = "The piece was changed on its way"
    detail = "Nothing of it was kept. Send it again."


class ChecksumUnknownError(BadInputError):
    """A checksum of a kind that is not computed here, or of a wrong form."""

    code, status = "checksum_unknown", 400
    title = "This checksum cannot be checked"
    detail = "Send Upload-Checksum with sha256 or sha1, a space, and the digest in Base64; or leave it out."


class UploadExpiredError(MunimentError):
    """A resumable upload stood still for too long."""

    code, status, exit_code = "upload_expired", 410, EXIT_NOT_FOUND
    title = "This upload has expired"
    detail = "Nothing came for too long, and what had arrived is deleted. Begin again."


class TooManyUploadsError(MunimentError):
    """One member has too many resumable uploads open."""

    code, status, exit_code = "too_many_uploads", 429, EXIT_CONFLICT
    title = "Too many uploads at once"
    detail = "Finish or end one of your uploads first. Those that stand still end by themselves."
    retry_after_s = 60


class MediaTypeError(BadInputError):
    """The body is declared as something that this address does not take."""

    code, status = "unsupported_media_type", 415
    title = "Not this type of body"
    detail = "Send the bytes as application/offset+octet-stream."


class TusVersionError(BadInputError):
    """The request does not speak the version of the tus protocol that is spoken here."""

    code, status = "tus_version", 412
    title = "Another version of tus is spoken here"
    detail = "Send the header Tus-Resumable: 1.0.0."
