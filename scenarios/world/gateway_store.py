"""The blob store as the gateway meets it: it may refuse a photo a few times, or always, and results for a while."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from azure.core.pipeline.transport import AsyncHttpResponse

from app.services.blob_transport import BlobTransport
from scenarios.scenario import Staging


class Stagings:
    """What is to be refused, by workflow."""

    def __init__(self) -> None:
        self._refused: dict[str, Staging] = {}
        self._times: Counter[str] = Counter()
        self._unread: dict[str, Staging] = {}

    def refuse(self, workflow_id: str, staging: Staging) -> None:
        """Refuse the photo of a workflow."""
        self._refused[workflow_id] = staging

    @contextmanager
    def unread(self, workflow_id: str, staging: Staging) -> Iterator[None]:
        """Refuse the results of a workflow meanwhile."""
        self._unread[workflow_id] = staging
        try:
            yield
        finally:
            del self._unread[workflow_id]

    def forget(self, workflow_id: str) -> None:
        """Refuse it no longer."""
        self._refused.pop(workflow_id, None)
        self._times.pop(workflow_id, None)

    def refusal(self, method: str, blob: str) -> Staging | None:
        """Return how a photo that is put, or a result that is read, is refused now; None where it is not."""
        if method == "GET":
            return next((staging for of, staging in self._unread.items() if blob.startswith(of)), None)
        return self._of_a_photo(blob) if method == "PUT" else None

    def _of_a_photo(self, workflow_id: str) -> Staging | None:
        staging = self._refused.get(workflow_id)
        if staging is None or self._times[workflow_id] >= staging.times:
            return None
        self._times[workflow_id] += 1
        return staging


class GatewayStoreTransport(BlobTransport):
    """Production's transport, but for what is to be refused."""

    def __init__(self, stagings: Stagings) -> None:
        super().__init__()
        self._stagings = stagings

    async def send(self, request: Any, **options: Any) -> Any:
        """Send the request, or answer it with a refusal in the store's words."""
        blob = request.url.partition("?")[0].rpartition("/")[2]
        if staging := self._stagings.refusal(request.method, blob):
            return _Refusal(request, staging)
        return await super().send(request, **options)


class _Refusal(AsyncHttpResponse):
    def __init__(self, request: Any, staging: Staging) -> None:
        super().__init__(request, None)
        self.status_code, self.reason = staging.status, HTTPStatus(staging.status).phrase
        self.headers = {"x-ms-error-code": staging.code, "Content-Type": "application/xml"}
        self.content_type = "application/xml"
        self._xml = f"<?xml version='1.0'?><Error><Code>{staging.code}</Code><Message>by rule</Message></Error>"

    def body(self) -> bytes:
        return self._xml.encode()

    async def load_body(self) -> None:
        pass

    async def read(self) -> bytes:
        return self.body()
