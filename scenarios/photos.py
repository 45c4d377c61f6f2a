"""The photos that scenarios post, by name: what is known of each. `scenarios.stories.drawn` draws them."""

from dataclasses import dataclass

SIZE = (120, 160)
"""Width and height of a photo whose size does not matter: small."""


@dataclass(frozen=True)
class Photo:
    """A photo by name: its size once upright and resized, and whether its background is worth removing."""

    name: str
    size: tuple[int, int] = SIZE
    far: bool = False

    @property
    def neck(self) -> tuple[float, float]:
        """A point on the person, normalised to 0-1, where a necklace hangs."""
        return (0.5, 0.69939) if self.far else (0.5, 0.80565)


PHOTOS = {
    photo.name: photo
    for photo in (
        Photo("near"),
        Photo("far", far=True),
        Photo("large", size=(1152, 1536)),
        Photo("twelve-megapixels", size=(1152, 1536)),
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
        Photo("png-palette"),
        Photo("png-grey-16"),
        Photo("see-through"),
        Photo("see-through-palette"),
        Photo("see-through-grey"),
        Photo("cicp"),
        Photo("cicp-over-a-profile"),
        Photo("gamma"),
        Photo("no-end"),
        Photo("with-a-place"),
        Photo("half"),
        Photo("half-progressive"),
        Photo("text"),
        Photo("empty"),
        Photo("one-pixel"),
        Photo("gif"),
    )
}
