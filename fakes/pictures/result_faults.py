"""Faults of an answer that has pictures and metrics in it, as the A100's has."""

import base64
import binascii
from typing import Any, ClassVar, Literal

from pydantic import Field

from fakes.kit.calls import Operation
from fakes.kit.faults.contract import JsonFault
from fakes.pictures import lies
from fakes.pictures.faults import makes_none_of
from fakes.pictures.opening import PictureError


class ResultFault(JsonFault):
    """A fault of the answer that has pictures in it as base64."""

    family: ClassVar[str] = "picture"

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return makes_none_of(frozenset({"result"}), operation)


class Base64Broken(ResultFault):
    """The picture in the answer is no base64."""

    kind: Literal["base64_broken"]

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Damage every field of base64."""
        return value | {
            name: _damaged(text) for name, text in value.items() if name.endswith("_base64") and isinstance(text, str)
        }


def _damaged(text: str) -> str:
    return f"{text[:40]}*{text[41:-3]}"


class ResultBroken(ResultFault):
    """One picture of the answer, but not the first, is no base64, cut, a page of HTML, or of twelve million pixels."""

    kind: Literal["result_broken"]
    field: Literal["result_gemini_base64", "fidelity_viz_base64", "fidelity_viz_gemini_base64"]
    how: Literal["base64", "cut", "html", "bomb"] = "cut"

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Break that picture, if it is there and another rule did not break it before."""
        text = value.get(self.field)
        if not isinstance(text, str):
            return value
        if self.how == "base64":
            return value | {self.field: _damaged(text)}
        lie = {"cut": lies.truncate, "html": lies.no_picture, "bomb": lies.bomb}[self.how]
        try:
            return value | {self.field: base64.b64encode(lie(_undressed(text))).decode()}
        except (PictureError, binascii.Error):
            return value


def _undressed(text: str) -> bytes:
    """Read base64 in whichever dress Base64Dress gave it."""
    plain = "".join(text.rpartition(",")[2].split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


class GeminiNull(ResultFault):
    """No fault: the Gemini half of the result is null, as when that model is switched off."""

    kind: Literal["gemini_null"]

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put null in place of every field of Gemini."""
        return {name: None if "gemini" in name else v for name, v in value.items()}


class FloatNoise(ResultFault):
    """Every number of the metrics is off by `by`, as floats are: 1 becomes 1.000000001."""

    kind: Literal["float_noise"]
    by: float = Field(default=1e-9, gt=0)

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Add the noise."""

        def noisy(number: Any) -> Any:
            return number + self.by if isinstance(number, int | float) and not isinstance(number, bool) else number

        return {
            name: {inner: noisy(number) for inner, number in part.items()} if isinstance(part, dict) else part
            for name, part in value.items()
        }


class Base64Dress(ResultFault):
    """The base64 of the answer's pictures is right, in another dress: a data URL, in lines, URL-safe, or unpadded."""

    kind: Literal["base64_dress"]
    dress: Literal["data_url", "lines", "urlsafe", "unpadded"] = "data_url"

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Dress every field of base64."""
        return value | {
            name: self._dressed(text)
            for name, text in value.items()
            if name.endswith("_base64") and isinstance(text, str)
        }

    def _dressed(self, text: str) -> str:
        if self.dress == "data_url":
            return f"data:image/jpeg;base64,{text}"
        if self.dress == "lines":
            return "\n".join(text[place : place + 76] for place in range(0, len(text), 76)) + "\n"
        if self.dress == "urlsafe":
            return text.translate(str.maketrans("+/", "-_"))
        return text.rstrip("=")
