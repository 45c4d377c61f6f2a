"""Faults of the blob store, worded as Azure words them."""

from typing import ClassVar, Literal

from fakes.kit.calls import Answer, Call, Operation
from fakes.kit.faults.base import CallFault, Part


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
