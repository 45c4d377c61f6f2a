"""Colours as browsers show them: a picture's profile is honoured once, and what comes out is sRGB."""

from io import BytesIO

from PIL import Image, ImageCms

from app.pictures.png_colours import cicp_profile, gamma_profile

_STEPS = 9
_SAMPLE = bytes(
    channel * 255 // (_STEPS - 1)
    for red in range(_STEPS)
    for green in range(_STEPS)
    for blue in range(_STEPS)
    for channel in (red, green, blue)
)
"""Colours all over the cube, grey ones among them."""

_UNSEEN = 3
"""Of 255. Programs write sRGB in many ways, which differ by less."""

_OF = {"RGB ": {"RGB", "RGBA", "P", "L", "LA", "1", "I;16"}, "GRAY": {"L", "LA", "1", "I;16"}, "CMYK": {"CMYK"}}
"""Which pictures a kind of profile can be meant for, by Pillow's mode: greys are colours too."""


class Profile:
    """What a picture's profile asks for."""

    def __init__(self, icc: bytes) -> None:
        """Read a profile; what a broken one raises is LittleCMS' affair."""
        self._given = ImageCms.ImageCmsProfile(BytesIO(icc))
        self._kind = self._given.profile.xcolor_space
        self._srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

    def is_for(self, mode: str) -> bool:
        """Say whether a picture of this mode can be meant."""
        return mode in _OF.get(self._kind, ())

    @property
    def is_for_grey(self) -> bool:
        """Whether it wants grey as one channel, and not as a colour."""
        return self._kind == "GRAY"

    def to_srgb(self, image: Image.Image) -> Image.Image:
        """Return a picture in sRGB: one in RGB or RGBA is changed in place, one in L or CMYK becomes RGB."""
        in_place = image.mode in {"RGB", "RGBA"}
        wanted = image.mode if in_place else "RGB"
        change = ImageCms.ImageCmsTransform(self._given, self._srgb, image.mode, wanted)
        return change.apply(image, image if in_place else None)


def profile_for(image: Image.Image, data: bytes) -> Profile | None:
    """Return the profile by which the colours of a picture, opened from this file, are to be changed.

    A PNG's cICP wins over its profile, that over its sRGB, that over gAMA and cHRM, as in browsers. None where there
    is nothing to do: it says nothing, or sRGB, or has a profile that is broken or of another kind of picture.
    """
    icc = image.info.get("icc_profile")
    if image.format == "PNG":
        icc = cicp_profile(data) or icc or gamma_profile(image)
    if not icc:
        return None
    try:
        profile = Profile(icc)
        return profile if profile.is_for(image.mode) and not _is_srgb(profile) else None
    except Exception:  # noqa: BLE001 - LittleCMS refuses broken profiles in several ways; browsers show the photo without
        return None


def _is_srgb(profile: Profile) -> bool:
    """Say whether a profile means what no profile means, by trying: there are dozens of names for it."""
    sample = Image.frombytes("RGB", (_STEPS, _STEPS * _STEPS), _SAMPLE)
    if profile.is_for("CMYK"):
        return False
    if profile.is_for_grey:
        sample = sample.convert("L")
    before = sample.convert("RGB").tobytes()
    after = profile.to_srgb(sample).tobytes()
    return all(abs(one - other) <= _UNSEEN for one, other in zip(before, after, strict=True))
