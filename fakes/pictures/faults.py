"""Faults of pictures: a valid 200 that leads to a wrong picture."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import ClassVar, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field

from fakes.kit.calls import Operation
from fakes.kit.faults.base import Fault, Part
from fakes.pictures import lies
from fakes.storage.store import foreign

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

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return makes_none_of(self.of, operation)

    @abstractmethod
    def picture(self, data: bytes, source: bytes) -> bytes:
        """Return what a service gives in place of the picture that it made from its source."""


class PictureLie(PictureFault):
    """A fault of a picture that is one lie about it, whatever it was made from."""

    lie: ClassVar[Callable[[bytes], bytes]]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Tell the lie."""
        return type(self).lie(data)


class NameFault(Fault):
    """A fault of the blob's name under which a picture goes."""

    family: ClassVar[str] = "picture"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.NAME})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})
    carried: ClassVar[bool] = True
    of: ClassVar[frozenset[str]] = ANY - {"result"}

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return makes_none_of(self.of, operation)

    @abstractmethod
    def named(self, uri: str, given: str, key: str) -> str:
        """Return the URI that is told of a picture in place of its own.

        Args:
            uri: its own.
            given: that of the picture that it was made from.
            key: the workflow's.
        """


class PictureTruncated(PictureFault):
    """The picture file is cut in the middle, or has zeros in place of the marker at its `end`."""

    kind: Literal["picture_truncated"]
    at: Literal["middle", "end"] = "middle"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.PICTURE})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Cut the file."""
        return lies.truncate(data) if self.at == "middle" else lies.without_end(data)


class PictureEmpty(PictureLie):
    """The picture file has no bytes, as an upload leaves it that was broken off."""

    kind: Literal["picture_empty"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.PICTURE})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})
    of: ClassVar[frozenset[str]] = ANY - {"result"}
    lie: ClassVar[Callable[[bytes], bytes]] = lies.nothing


class PictureHeavy(PictureFault):
    """The picture file has `size` bytes, most of them behind the picture."""

    kind: Literal["picture_heavy"]
    size: int = Field(default=17 * 1024 * 1024, gt=0, le=64 * 1024 * 1024)
    of: ClassVar[frozenset[str]] = ANY - {"result"}

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Pad the file."""
        return lies.padded(data, self.size)


class PictureGarbage(PictureLie):
    """The picture file holds a page of HTML."""

    kind: Literal["picture_garbage"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.PICTURE})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.no_picture


class PictureSize(PictureLie):
    """The picture is one pixel narrower than it should be."""

    kind: Literal["picture_size"]
    lie: ClassVar[Callable[[bytes], bytes]] = lies.off_by_one


class PictureNoAlpha(PictureLie):
    """The picture without background has no alpha channel."""

    kind: Literal["picture_no_alpha"]
    of: ClassVar[frozenset[str]] = frozenset({"cutout"})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.drop_alpha


class CutoutEmpty(PictureLie):
    """The picture without background has nothing left in it."""

    kind: Literal["cutout_empty"]
    of: ClassVar[frozenset[str]] = frozenset({"cutout"})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.empty_cutout


class CutoutFull(PictureLie):
    """The picture without background has its background, and an alpha channel."""

    kind: Literal["cutout_full"]
    of: ClassVar[frozenset[str]] = frozenset({"cutout"})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.full_cutout


class CutoutMode(PictureFault):
    """The picture without background says the same in another mode: a palette with transparency, or grey with alpha."""

    kind: Literal["cutout_mode"]
    mode: Literal["palette", "grey"] = "palette"
    of: ClassVar[frozenset[str]] = frozenset({"cutout"})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Write the cut-out in that mode."""
        return lies.other_cutout(data, self.mode)


class PictureUnchanged(PictureFault):
    """The service gives back the picture that it was given."""

    kind: Literal["picture_unchanged"]

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Give the source back."""
        return source


class PictureFormat(PictureLie):
    """The picture is of another format than its name says."""

    kind: Literal["picture_format"]
    lie: ClassVar[Callable[[bytes], bytes]] = lies.other_format


class ResultFormat(NameFault, PictureFault):
    """The picture is of another format than usual, PNG or JPEG, and its name agrees with it."""

    kind: Literal["result_format"]
    of: ClassVar[frozenset[str]] = frozenset({"photo", "mask"})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK, Part.PICTURE})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Write the picture in the other format."""
        return lies.other_format(data)

    def named(self, uri: str, given: str, key: str) -> str:  # noqa: ARG002 - the method's signature
        """Give it the suffix of that format."""
        path = PurePosixPath(uri.removeprefix("azure://"))
        return f"azure://{path.with_suffix('.jpg' if path.suffix == '.png' else '.png')}"


class MaskEmpty(PictureLie):
    """The mask has no foreground."""

    kind: Literal["mask_empty"]
    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.empty_mask


class MaskFull(PictureLie):
    """The mask is all foreground."""

    kind: Literal["mask_full"]
    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.full_mask


class MaskInverted(PictureLie):
    """Foreground and background of the mask are exchanged."""

    kind: Literal["mask_inverted"]
    of: ClassVar[frozenset[str]] = frozenset({"mask"})
    lie: ClassVar[Callable[[bytes], bytes]] = lies.invert_mask


class MaskForeign(NameFault):
    """The URI leads to another job's mask, under another workflow's name."""

    kind: Literal["mask_foreign"]
    of: ClassVar[frozenset[str]] = frozenset({"mask"})

    def named(self, uri: str, given: str, key: str) -> str:  # noqa: ARG002 - the method's signature
        """Give it another workflow's name."""
        return foreign(uri, key)


class SourceNamed(NameFault):
    """The service makes its picture, and then names the one that it was given."""

    kind: Literal["source_named"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.NAME, Part.PICTURE})
    of: ClassVar[frozenset[str]] = frozenset({"photo", "cutout"})

    def named(self, uri: str, given: str, key: str) -> str:  # noqa: ARG002 - the method's signature
        """Name the one that was given."""
        return given


class ResultNamed(NameFault):
    """The picture has another name within the container, `folder` and a hash, which says nothing of the workflow."""

    kind: Literal["result_named"]
    folder: str = Field(default="results", pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*$")

    def named(self, uri: str, given: str, key: str) -> str:  # noqa: ARG002 - the method's signature
        """Give it a name of the service's own."""
        container, _, name = uri.removeprefix("azure://").partition("/")
        return f"azure://{container}/{self.folder}/{uuid5(NAMESPACE_URL, uri)}{PurePosixPath(name).suffix}"


class MaskValues(PictureFault):
    """The mask says the same in another scale or mode: 0 and 1, one bit, RGB, a palette, 16 bits, alpha; or 1 and 2."""

    kind: Literal["mask_values"]
    values: Literal["0-1", "1-2", "1-bit", "rgb", "palette", "16-bit", "16-bit-0-1", "alpha"] = "0-1"
    of: ClassVar[frozenset[str]] = frozenset({"mask"})

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002 - the method's signature
        """Write the mask in that way."""
        return lies.other_values(data, self.values)
