"""Everything that the fakes draw: pure, synchronous functions from bytes to bytes. Same input and seed, same bytes."""

from fakes.pictures.cutout import remove_background
from fakes.pictures.fidelity import Fidelity
from fakes.pictures.generating import GeneratedPictures, generate
from fakes.pictures.lies import drop_alpha, empty_mask, full_mask, invert_mask, off_by_one, other_format, truncate
from fakes.pictures.opening import PictureError
from fakes.pictures.portrait import necklace_points, portrait
from fakes.pictures.resizing import ResizedPicture, resize
from fakes.pictures.segmenting import segment
from fakes.pictures.strokes import BrushStroke, paint_strokes
from fakes.pictures.subject import zoom_level

__all__ = [
    "BrushStroke",
    "Fidelity",
    "GeneratedPictures",
    "PictureError",
    "ResizedPicture",
    "drop_alpha",
    "empty_mask",
    "full_mask",
    "generate",
    "invert_mask",
    "necklace_points",
    "off_by_one",
    "other_format",
    "paint_strokes",
    "portrait",
    "remove_background",
    "resize",
    "segment",
    "truncate",
    "zoom_level",
]
