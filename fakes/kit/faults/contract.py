"""Faults of contract: the answer is JSON, but not the JSON that was agreed."""

import json
from abc import abstractmethod
from typing import Any, ClassVar, Literal

from pydantic import Field

from fakes.kit.calls import Answer, Call, Operation
from fakes.kit.faults.base import Fault


class ContractFault(Fault):
    """A fault of one field of the answer. It fires only when the answer has that field."""

    field: str = Field(min_length=1)
    family: ClassVar[str] = "contract"
    changes_answer: ClassVar[bool] = True
    at_once: ClassVar[bool] = False

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        if self.field not in operation.fields:
            known = ", ".join(sorted(operation.fields)) or "none"
            return f"its answer has no field {self.field!r} (it has {known})"
        return None

    def after(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the hook's signature
        """Change the field, if the answer has it."""
        value = _object(answer)
        changed = self.changed(value) if self.field in value else value
        if changed == value:
            return None
        answer.body = json.dumps(changed).encode()
        return answer

    @abstractmethod
    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the changed JSON object."""


class MissingField(ContractFault):
    """The answer lacks `field`."""

    kind: Literal["missing_field"]

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Leave the field out."""
        return {name: item for name, item in value.items() if name != self.field}


class NullField(ContractFault):
    """`field` is null."""

    kind: Literal["null_field"]

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put null in place of the value."""
        return value | {self.field: None}


class WrongType(ContractFault):
    """`field` has a value of another JSON type: a text becomes a number, all else a text."""

    kind: Literal["wrong_type"]

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put a value of another type in its place."""
        return value | {self.field: 42 if isinstance(value[self.field], str) else "forty-two"}


class ExtraField(Fault):
    """The answer has a field more than agreed, which a tolerant reader ignores."""

    kind: Literal["extra_field"]
    field: str = "surprise"
    value: Any = "a field that nobody expects"
    family: ClassVar[str] = "contract"
    changes_answer: ClassVar[bool] = True
    at_once: ClassVar[bool] = False

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return None if operation.fields else "its answer is no JSON object"

    def after(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the hook's signature
        """Add the field."""
        value = _object(answer)
        if self.field in value and value[self.field] == self.value:
            return None
        answer.body = json.dumps(value | {self.field: self.value}).encode()
        return answer


def _object(answer: Answer) -> dict[str, Any]:
    value = json.loads(answer.body)
    return value if isinstance(value, dict) else {}
