"""Faults of pictures: a valid 200 that leads to a wrong picture."""

import json
from collections.abc import Callable
from typing import ClassVar, Literal

from fakes import pictures
from fakes.kit.calls import Answer, Call, Operation
from fakes.kit.faults.base import Fault


class PictureFault(Fault):
    """A fault of a picture, which needs an operation that makes one of the kinds in `of`."""

    family: ClassVar[str] = "picture"
    at_once: ClassVar[bool] = False
    carried: ClassVar[bool] = True
    of: ClassVar[frozenset[str]] = frozenset({"photo", "cutout", "mask", "result"})

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        if operation.makes not in self.of:
            return f"it makes no {' or '.join(sorted(self.of))}"
        return None


class PictureTruncated(PictureFault):
    """The picture file is cut in the middle."""

    kind: Literal["picture_truncated"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the hook's signature
        """Cut the file."""
        return pictures.truncate(data)


class PictureSize(PictureFault):
    """The picture is one pixel narrower than it should be."""

    kind: Literal["picture_size"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the hook's signature
        """Change the size by one."""
        return pictures.off_by_one(data)


class PictureNoAlpha(PictureFault):
    """The picture without background has no alpha channel."""

    kind: Literal["picture_no_alpha"]
    of: ClassVar[frozenset[str]] = frozenset({"cutout"})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the hook's signature
        """Drop the alpha channel."""
        return pictures.drop_alpha(data)


class PictureUnchanged(PictureFault):
    """The service gives back the picture that it was given."""

    kind: Literal["picture_unchanged"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the hook's signature
        """Give the source back."""
        return source


class PictureFormat(PictureFault):
    """The picture is of another format than its name says."""

    kind: Literal["picture_format"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the hook's signature
        """Write the picture in another format."""
        return pictures.other_format(data)


class MaskFault(PictureFault):
    """A fault of a mask."""

    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    lie: ClassVar[Callable[[bytes], bytes]]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the hook's signature
        """Tell the lie about the mask."""
        return type(self).lie(data)


class MaskEmpty(MaskFault):
    """The mask has no foreground."""

    kind: Literal["mask_empty"]
    lie: ClassVar[Callable[[bytes], bytes]] = pictures.empty_mask


class MaskFull(MaskFault):
    """The mask is all foreground."""

    kind: Literal["mask_full"]
    lie: ClassVar[Callable[[bytes], bytes]] = pictures.full_mask


class MaskInverted(MaskFault):
    """Foreground and background of the mask are exchanged."""

    kind: Literal["mask_inverted"]
    lie: ClassVar[Callable[[bytes], bytes]] = pictures.invert_mask


class MaskForeign(PictureFault):
    """The URI leads to another job's mask, under another workflow's name."""

    kind: Literal["mask_foreign"]
    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    foreign: ClassVar[bool] = True


class Base64Broken(PictureFault):
    """The picture in the answer is no base64."""

    kind: Literal["base64_broken"]
    of: ClassVar[frozenset[str]] = frozenset({"result"})
    changes_answer: ClassVar[bool] = True

    def after(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the hook's signature
        """Damage every field of base64."""
        value = json.loads(answer.body)
        damaged = {name: f"{text[:40]}*{text[41:-3]}" for name, text in value.items() if _is_base64(name, text)}
        if not damaged:
            return None
        answer.body = json.dumps(value | damaged).encode()
        return answer


class GeminiNull(PictureFault):
    """No fault: the Gemini half of the result is null, as when that model is switched off."""

    kind: Literal["gemini_null"]
    of: ClassVar[frozenset[str]] = frozenset({"result"})
    changes_answer: ClassVar[bool] = True

    def after(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the hook's signature
        """Put null in place of every field of Gemini."""
        value = json.loads(answer.body)
        changed = {name: None if "gemini" in name else v for name, v in value.items()}
        if changed == value:
            return None
        answer.body = json.dumps(changed).encode()
        return answer


def _is_base64(name: str, value: object) -> bool:
    return name.endswith("_base64") and isinstance(value, str)
