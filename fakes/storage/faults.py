"""Faults of the blob store, worded as Azure words them."""

from http import HTTPStatus
from typing import ClassVar, Literal

from pydantic import Field

from fakes.kit.calls import Answer, Call, Operation
from fakes.kit.faults.base import AnswerFault, CallFault, Part

RANGE = b"content-range"


def refusal(status: int, code: str, message: str) -> Answer:
    """Return an error as the store gives it."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    headers = [(b"content-type", b"application/xml"), (b"x-ms-error-code", code.encode())]
    return Answer(status, body.encode(), headers)


class StoreFault(CallFault):
    """A refusal of the store. Its class says with which status, code and message."""

    family: ClassVar[str] = "store"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.WORK})
    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return None if operation.makes == "blob" else "it is none of the blob store's"

    async def act(self, call: Call) -> Answer:  # noqa: ARG002 - the method's signature
        """Refuse."""
        return refusal(self.status, self.code, self.message)


class ContainerBeingDeleted(StoreFault):
    """409 ContainerBeingDeleted, as for some time after a container was deleted: it is to be tried again."""

    kind: Literal["container_being_deleted"]
    status: ClassVar[int] = 409
    code: ClassVar[str] = "ContainerBeingDeleted"
    message: ClassVar[str] = "The specified container is being deleted. Try operation later."


class ContainerMissing(StoreFault):
    """404 ContainerNotFound: there is no container of that name, or no longer."""

    kind: Literal["container_missing"]
    status: ClassVar[int] = 404
    code: ClassVar[str] = "ContainerNotFound"
    message: ClassVar[str] = "The specified container does not exist."


class KeyNotPermitted(StoreFault):
    """403 KeyBasedAuthenticationNotPermitted: the account takes identities alone."""

    kind: Literal["key_not_permitted"]
    status: ClassVar[int] = 403
    code: ClassVar[str] = "KeyBasedAuthenticationNotPermitted"
    message: ClassVar[str] = "Key based authentication is not permitted on this storage account."


class ClockSkew(StoreFault):
    """403 AuthenticationFailed, since the caller's clock is more than 15 minutes off."""

    kind: Literal["clock_skew"]
    status: ClassVar[int] = 403
    code: ClassVar[str] = "AuthenticationFailed"
    message: ClassVar[str] = "Server failed to authenticate the request. Request date header too old."


class BlobSize(AnswerFault):
    """Azure says that the blob has `bytes`: none, as after an upload that was broken off, or far more than it has."""

    kind: Literal["blob_size"]
    bytes: int = Field(default=0, ge=0)
    family: ClassVar[str] = "store"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.BODY})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        if (operation.makes, operation.name) == ("blob", "get"):
            return None
        return "no blob is read by it"

    def act(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the method's signature
        """Tell the size of a blob with its first piece. Of one without a byte no piece can be had, but the whole."""
        if answer.status == HTTPStatus.PARTIAL_CONTENT and not self.bytes:
            message = "The range specified is invalid for the current size of the resource."
            return refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", message)
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            told = next(value for name, value in answer.headers if name.lower() == RANGE)
            answer.headers = [*answer.without(RANGE), (RANGE, b"%s/%d" % (told.partition(b"/")[0], self.bytes))]
            return answer
        if answer.status == HTTPStatus.OK and not self.bytes:
            answer.body = b""
            return answer
        return None
