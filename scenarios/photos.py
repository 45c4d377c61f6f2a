"""The photos that scenarios post, by name: what is known of each. `scenarios.stories.drawn` draws them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

SIZE = (120, 160)
"""Width and height of a photo whose size does not matter: small."""


@dataclass(frozen=True)
class Photo:
    """A photo by name.

    Attributes:
        size: its pixels once upright and resized.
        far: whether its background is worth removing.
        noted: whether there are words beside the picture that nobody is to keep (`scenarios.stories.notes`).
    """

    name: str
    size: tuple[int, int] = SIZE
    far: bool = False
    noted: bool = False

    @property
    def neck(self) -> tuple[float, float]:
        """A point on the person, normalised to 0-1, where a necklace hangs."""
        return (0.5, 0.69939) if self.far else (0.5, 0.80565)


class Encoding(NamedTuple):
    """A way in which a file may hold the near portrait.

    Attributes:
        kind: the format, and what its pixels are.
        colours: what it says of its colours, "" for nothing: with a profile, and in a PNG with `cICP`, with a `cICP`
            that a profile contradicts, or with `gAMA`.
        orientation: EXIF's, 1 for upright.
        progressive: whether a JPEG comes in passes.
        ended: whether its end is there.
        said: how it says that, "" for as usual: `late`, as the last before a JPEG's pixels, or behind a PNG's, where it
            does not count; EXIF's numbers in `intel`'s order of bytes; or `noted`, with somebody's words beside it in
            every way in which a file can hold them.
    """

    kind: str
    colours: str = ""
    orientation: int = 1
    progressive: bool = False
    ended: bool = True
    said: str = ""

    @property
    def name(self) -> str:
        """Its name as a photo: what is unusual of it."""
        turned = f"turned-{self.orientation}" if self.orientation > 1 else ""
        passes, end = "progressive" if self.progressive else "", "" if self.ended else "no-end"
        return "-".join(part for part in (self.kind, self.colours, passes, turned, self.said, end) if part)


JPEGS = ("jpeg-rgb", "jpeg-grey", "jpeg-cmyk", "jpeg-inks")
"""`inks` are those of CMYK without Adobe's mark."""
PNGS = (
    *("png-rgb", "png-rgba", "png-palette", "png-grey", "png-grey-16"),
    *("png-see-through", "png-see-through-palette", "png-see-through-grey"),
)


def _encodings() -> Iterator[Encoding]:
    for orientation, ended in product(range(1, 9), (True, False)):
        for kind, colours, progressive in product(JPEGS, ("", "profile"), (False, True)):
            yield Encoding(kind, colours, orientation, progressive, ended)
        for kind, colours in product(PNGS, ("", "cicp", "cicp-profile", "gamma")):
            yield Encoding(kind, colours, orientation, ended=ended)
    for orientation in range(2, 9):
        for kind, said in (*product(JPEGS, ("late", "intel")), *product(PNGS, ("intel",))):
            yield Encoding(kind, orientation=orientation, said=said)
    for orientation, kind in product((1, 6), (*JPEGS, *PNGS)):
        yield Encoding(kind, orientation=orientation, said="noted")
    for kind, colours in product(JPEGS, ("", "profile")):
        yield Encoding(kind, colours, progressive=True, said="noted")
    for orientation, kind, colours in product((1, 6), PNGS[:6], ("", "cicp", "cicp-profile", "gamma")):
        if orientation > 1 or colours:
            yield Encoding(kind, colours, orientation, said="late")


ENCODINGS: Mapping[str, Encoding] = {each.name: each for each in _encodings()}
"""By the name of the photo. A browser shows the same portrait of each, or its grey."""

NAMED = {
    photo.name: photo
    for photo in (
        Photo("near"),
        Photo("far", far=True),
        Photo("large", size=(1152, 1536)),
        Photo("twelve-megapixels", size=(1152, 1536)),
        Photo("narrow", size=(1536, 19), far=True),
        Photo("least", size=(32, 32)),
        Photo("sideways"),
        Photo("turned-2"),
        Photo("turned-3"),
        Photo("turned-4"),
        Photo("turned-5"),
        Photo("turned-7"),
        Photo("turned-8"),
        Photo("progressive"),
        Photo("grey"),
        Photo("cmyk"),
        Photo("png"),
        Photo("png-alpha"),
        Photo("see-through"),
        Photo("see-through-palette"),
        Photo("see-through-grey"),
        Photo("cicp"),
        Photo("cicp-over-a-profile"),
        Photo("gamma"),
        Photo("no-end"),
        Photo("with-a-place", noted=True),
        Photo("half"),
        Photo("half-progressive"),
        Photo("text"),
        Photo("empty"),
        Photo("one-pixel"),
        Photo("gif"),
    )
}
PHOTOS: Mapping[str, Photo] = {
    **{name: Photo(name, noted=encoding.said == "noted") for name, encoding in ENCODINGS.items()},
    **NAMED,
}


def unknown(name: str) -> str:
    """Return in words that there is no such photo, and which there are."""
    return (
        f"no such photo: {name!r}; there are {', '.join(NAMED)}, and files such as jpeg-cmyk-profile-turned-6-no-end "
        f"or png-palette-gamma (scenarios/photos.py)"
    )
