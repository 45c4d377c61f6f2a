"""A codec hears in virtual time whose payloads they are, as it does in production."""

from collections.abc import Sequence
from typing import Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from tests.virtual.session import Session
from tests.virtual.workflows import Chain


class OfOneWorkflow(PayloadCodec, WithSerializationContext):
    """Signs payloads by their workflow's id, and reads those of its own alone."""

    def __init__(self, workflow_id: str = "") -> None:
        self.workflow_id = workflow_id

    def with_context(self, context: SerializationContext) -> Self:
        assert isinstance(context, WorkflowSerializationContext | ActivitySerializationContext)
        return type(self)(context.workflow_id or "")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert self.workflow_id, "nobody said whose they are"
        return [
            Payload(metadata={"encoding": b"signed", "by": self.workflow_id.encode()}, data=each.SerializeToString())
            for each in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decoded(each) for each in payloads]

    def _decoded(self, payload: Payload) -> Payload:
        if payload.metadata["encoding"] != b"signed":
            return payload  # it comes of virtual time itself, which has nothing to hide
        assert payload.metadata["by"].decode() == self.workflow_id
        return Payload.FromString(payload.data)


def test_a_codec_hears_whose_payloads_it_encodes() -> None:
    with Session(converter=DataConverter(payload_codec=OfOneWorkflow())) as session:
        result, story = session.run(Chain.run)
    assert result == [10, 15, 22, 100]
    assert len(story.attempts()) == 3
