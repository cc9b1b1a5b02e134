"""Faults: what an object store answers, as an error for the user, and whether another try may help.

In: any exception of fsspec and of the libraries below it. Out: a BlendgenError. An outage, a busy store and
expired credentials pass: after a few tries the command ends with 75, and the same one goes on. A missing
bucket, missing rights and missing credentials need somebody who fixes them. Libraries differ in their
exceptions, so these are recognised by errno, by the status of HTTP and by their names. What S3 itself
answered comes first: s3fs makes EIO, as of an outage, of each code that it does not know.
"""

from __future__ import annotations

import errno

from blendgen.errors import BlendgenError, DatasetError, DiskUnavailable, SetupError
from blendgen.files.disk import passes
from blendgen.files.names import printable

_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EINTR, errno.EPIPE}
_BUSY_STATUS = {408, 425, 429, 500, 502, 503, 504}
_DENIED_STATUS = {401, 403}
# of S3, with a status of lasting ones: damaged on the way, too slow, or in the way of another request
_PASSING_CODES = {"BadDigest", "IncompleteBody", "RequestTimeout", "OperationAborted"}
# of classes of botocore, aiohttp, azure-core, google-auth, requests and urllib3
_NO_ANSWER = ("connection", "timeout", "servicerequest", "disconnected", "transport", "incompleteread")
_NO_CREDENTIALS = ("nocredentials", "partialcredentials", "defaultcredentials", "clientauthentication")
_EXPIRED = ("expiredtoken", "token has expired", "token is expired", "expired credentials", "refresherror")
_RETRY = "Finished images are kept; run the same command to continue"
_CREDENTIALS = "credentials come from the environment, such as AWS_PROFILE or AWS_ACCESS_KEY_ID for S3"
_MAX_CHARACTERS = 200


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    code, status = _answer_of_s3(error)
    if status >= 400:
        is_busy = status in _BUSY_STATUS or (status >= 500 and status != 501)
        return is_busy or code in _PASSING_CODES or "throttl" in code.lower()
    if isinstance(error, ConnectionError | TimeoutError) or _status(error) in _BUSY_STATUS:
        return True
    if isinstance(error, OSError) and (passes(error) or error.errno in _BUSY):
        return True
    return any(word in name for name in _class_names(error) for word in _NO_ANSWER)


def is_beyond_end(error: BaseException) -> bool:
    """Whether a part of an object was asked for that lies behind its end."""
    words = f"{error} {error.__cause__ or ''}"
    return _status(error) == 416 or "InvalidRange" in words or "not satisfiable" in words


def store_error(place: str, error: BaseException) -> BlendgenError:
    """The error for a request that failed at last."""
    words = _words(error)
    if _is_expired(error):
        return DiskUnavailable(f"{place}: the credentials have expired ({words}); renew them. {_RETRY}")
    if any(word in name for name in _class_names(error) for word in _NO_CREDENTIALS):
        return SetupError(f"{place}: no credentials ({words}); {_CREDENTIALS}")
    if is_passing(error):
        return DiskUnavailable(f"{place}: the object store does not answer ({words}). {_RETRY}")
    if isinstance(error, PermissionError) or _status(error) in _DENIED_STATUS:
        return DatasetError(
            f"{place}: access is denied ({words}); it takes the rights to list, read, write and delete "
            f"objects; {_CREDENTIALS}"
        )
    if _answer_of_s3(error)[0] == "NoSuchUpload":
        return DiskUnavailable(
            f"{place}: another command has ended this upload; if another machine works on the same data set, "
            f"end one of them. {_RETRY}"
        )
    if isinstance(error, FileNotFoundError):
        return DatasetError(f"{place}: is not there ({words}); make the bucket first")
    return DatasetError(f"{place}: the object store refuses ({words})")


def _is_expired(error: BaseException) -> bool:
    text = " ".join([*_class_names(error), str(error), str(error.__cause__ or "")]).lower()
    return any(word in text for word in _EXPIRED)


def _status(error: BaseException) -> int | None:
    """The status of HTTP that an exception carries, if it does."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status", "status_code", "code"):
            value = getattr(holder, name, None)
            if isinstance(value, int):
                return value
    return None


def _answer_of_s3(error: BaseException) -> tuple[str, int]:
    """Code, and status of HTTP, of an exception of botocore or one that s3fs made of it; "" and 0 if none."""
    answer = getattr(error.__cause__ or error, "response", None)
    if not isinstance(answer, dict):
        return "", 0
    code = (answer.get("Error") or {}).get("Code")
    status = (answer.get("ResponseMetadata") or {}).get("HTTPStatusCode")
    return str(code or ""), status if isinstance(status, int) else 0


def _class_names(error: BaseException) -> list[str]:
    return [kind.__name__.lower() for kind in type(error).__mro__ if kind.__module__ != "builtins"]


def _words(error: BaseException) -> str:
    """What it says, in one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return printable(text if len(text) <= _MAX_CHARACTERS else text[:_MAX_CHARACTERS] + "...")
