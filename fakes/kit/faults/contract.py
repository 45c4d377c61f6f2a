"""Faults of contract: the answer is JSON, but not the JSON that was agreed."""

import json
import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal

from pydantic import Field

from ..calls import Answer, Call, Operation
from .base import AnswerFault, Part


class JsonFault(AnswerFault):
    """A fault of the JSON object that is answered."""

    family: ClassVar[str] = "contract"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK, Part.BODY})

    def act(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the method's signature
        """Change the object, if the answer is one."""
        value = json.loads(answer.body)
        changed = self.changed(value) if isinstance(value, dict) else value
        if changed == value:
            return None
        answer.body = json.dumps(changed).encode()
        return answer

    @abstractmethod
    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the changed JSON object, or the same when there is nothing to change."""


class FieldFault(JsonFault):
    """A fault of one field of the answer. It acts only when the answer has that field."""

    field: str = Field(min_length=1)

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        if operation.fields is not None and self.field not in operation.fields:
            known = ", ".join(sorted(operation.fields)) or "none"
            return f"its answer has no field {self.field!r} (it has {known})"
        return None

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Change the field, if it is there."""
        return self.without(value) if self.field in value else value

    @abstractmethod
    def without(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the object without a good value for the field, which it has."""


class MissingField(FieldFault):
    """The answer lacks `field`."""

    kind: Literal["missing_field"]

    def without(self, value: dict[str, Any]) -> dict[str, Any]:
        """Leave the field out."""
        return {name: item for name, item in value.items() if name != self.field}


class NullField(FieldFault):
    """`field` is null."""

    kind: Literal["null_field"]

    def without(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put null in place of the value."""
        return value | {self.field: None}


class WrongType(FieldFault):
    """`field` is of another type: a number for a text, else a text, the same in quotes (`quoted`) or NaN (`nan`)."""

    kind: Literal["wrong_type"]
    to: Literal["another", "quoted", "nan"] = "another"

    def without(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put a value of another type in its place."""
        was = value[self.field]
        if self.to == "nan":
            return value | {self.field: math.nan}
        if isinstance(was, str):
            return value | {self.field: 42}
        return value | {self.field: json.dumps(was) if self.to == "quoted" else "forty-two"}


class WrongValue(FieldFault):
    """`field` has `value`, of the right type, as a rule."""

    kind: Literal["wrong_value"]
    value: Any

    def without(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put the value in the place of the true one."""
        return value | {self.field: self.value}


class WrongNumber(FieldFault):
    """`field` is off by `by`, of the right type."""

    kind: Literal["wrong_number"]
    by: int = Field(default=2, ge=1)

    def without(self, value: dict[str, Any]) -> dict[str, Any]:
        """Add to the number, if it is one."""
        was = value[self.field]
        if isinstance(was, bool) or not isinstance(was, int | float):
            return value
        return value | {self.field: was + self.by}


class ExtraField(JsonFault):
    """The answer has a field more than agreed, which a tolerant reader ignores."""

    kind: Literal["extra_field"]
    field: str = "surprise"
    value: Any = "a field that nobody expects"

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return "its answer is no JSON object" if operation.fields == frozenset() else None

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Add the field."""
        return value | {self.field: self.value}
