"""Faults of pictures: a valid 200 that leads to a wrong picture."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from fakes.kit.calls import Operation
from fakes.kit.faults.base import Fault, Part
from fakes.kit.faults.contract import JsonFault
from fakes.pictures import lies

ANY = frozenset({"photo", "cutout", "mask", "result"})


def makes_none_of(of: frozenset[str], operation: Operation) -> str | None:
    """Return why an operation makes no such picture, None when it does."""
    return None if operation.makes in of else f"it makes no {' or '.join(sorted(of))}"


class PictureFault(Fault):
    """A fault of a picture, which needs an operation that makes one of the kinds in `of`."""

    family: ClassVar[str] = "picture"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK, Part.PICTURE})
    carried: ClassVar[bool] = True
    of: ClassVar[frozenset[str]] = ANY
    foreign: ClassVar[bool] = False
    """The picture goes under another workflow's name."""

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return makes_none_of(self.of, operation)

    @abstractmethod
    def picture(self, data: bytes, source: bytes) -> bytes:
        """Return what a service gives in place of the picture that it made from its source."""


class PictureTruncated(PictureFault):
    """The picture file is cut in the middle."""

    kind: Literal["picture_truncated"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.PICTURE})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Cut the file."""
        return lies.truncate(data)


class PictureSize(PictureFault):
    """The picture is one pixel narrower than it should be."""

    kind: Literal["picture_size"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Change the size by one."""
        return lies.off_by_one(data)


class PictureNoAlpha(PictureFault):
    """The picture without background has no alpha channel."""

    kind: Literal["picture_no_alpha"]
    of: ClassVar[frozenset[str]] = frozenset({"cutout"})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Drop the alpha channel."""
        return lies.drop_alpha(data)


class PictureUnchanged(PictureFault):
    """The service gives back the picture that it was given."""

    kind: Literal["picture_unchanged"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Give the source back."""
        return source


class PictureFormat(PictureFault):
    """The picture is of another format than its name says."""

    kind: Literal["picture_format"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Write the picture in another format."""
        return lies.other_format(data)


class MaskFault(PictureFault):
    """A fault of a mask."""

    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    lie: ClassVar[Callable[[bytes], bytes]]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Tell the lie about the mask."""
        return type(self).lie(data)


class MaskEmpty(MaskFault):
    """The mask has no foreground."""

    kind: Literal["mask_empty"]
    lie: ClassVar[Callable[[bytes], bytes]] = lies.empty_mask


class MaskFull(MaskFault):
    """The mask is all foreground."""

    kind: Literal["mask_full"]
    lie: ClassVar[Callable[[bytes], bytes]] = lies.full_mask


class MaskInverted(MaskFault):
    """Foreground and background of the mask are exchanged."""

    kind: Literal["mask_inverted"]
    lie: ClassVar[Callable[[bytes], bytes]] = lies.invert_mask


class MaskForeign(PictureFault):
    """The URI leads to another job's mask, under another workflow's name."""

    kind: Literal["mask_foreign"]
    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    foreign: ClassVar[bool] = True

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Leave the picture as it is."""
        return data


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
            name: f"{text[:40]}*{text[41:-3]}"
            for name, text in value.items()
            if name.endswith("_base64") and isinstance(text, str)
        }


class GeminiNull(ResultFault):
    """No fault: the Gemini half of the result is null, as when that model is switched off."""

    kind: Literal["gemini_null"]

    def changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Put null in place of every field of Gemini."""
        return {name: None if "gemini" in name else v for name, v in value.items()}
