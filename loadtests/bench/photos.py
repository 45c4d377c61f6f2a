"""What a photo of 12 megapixels costs in CPU: cutting out what does not show, colours, turning. No server is needed.

`python -m loadtests.bench.photos` prints the table alone, `make bench` with the rest. Times are this process's own, the
median of several, and stand beside `json.loads` on the body that carries such a photo.
"""

import base64
import io
import json
import statistics
import time
import zlib
from collections.abc import Callable, Mapping
from functools import partial

from PIL import Image

from app.pictures.photo import accept, upright_jpeg
from app.pictures.strip import strip
from fakes.pictures import portrait
from scenarios.gateway_client import STROKES, start_body
from scenarios.stories.drawn import FAR
from scenarios.stories.encodings import ORIENTATION

ROUNDS = 7

DISPLAY_P3 = zlib.decompress(
    base64.b85decode(
        "c-muNV2sGi&r4-;U|`72D=7+ccT$Lmj8b4g0*T4R1q^t>w`&ZHAo{W{1L=T0DI~}lNZ$Zrfh3^iK>7s`i<FlXlmO{JAa)U04Wj@^O*&W"
        "&qXJkQ!Zrc1(;;d+Kx&dpi^`zpGcp-7Fd+P-VZp#4$jiWRVmCqz;eOouybdxjYy{fFwF@EEe2;;_cK`qX|97D40{|i8Fx>"
    )
)
"""A colour profile: the primaries that phones' cameras write in, with a gamma of 2.2."""


def plain_photo() -> bytes:
    """Return 12 megapixels as a JPEG that holds its picture alone."""
    return portrait(3000, 4000, seed=1, zoom=FAR)


def phone_s(photo: bytes) -> bytes:
    """Return the same JPEG as a phone writes it: notes with a thumbnail before the picture, a preview behind it."""
    notes = b"Exif\0\0" + bytes(60_000)
    return photo[:2] + b"\xff\xe1" + (len(notes) + 2).to_bytes(2) + notes + photo[2:] + bytes(100_000)


def _again(photo: bytes, **options: object) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as image:
        image.save(out, "JPEG", quality=92, **options)
    return out.getvalue()


def _cpu(work: Callable[[], object]) -> float:
    """Median CPU seconds of a call, all of the process's threads together."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def _worker_s(data: bytes) -> None:
    upright_jpeg(accept(data))


def photo_costs(photo: bytes) -> Mapping[str, float]:
    """Return what the gateway and the worker do with a photo, by name, in CPU seconds."""
    body = json.dumps(start_body(photo, strokes=STROKES)).encode()
    phone = phone_s(photo)
    turned = Image.Exif()
    turned[ORIENTATION] = 6  # the camera was held sideways: show it turned by 90 degrees
    upright = {
        "worker: upright and sRGB, as it is": photo,
        "worker: in Display P3, converted": _again(photo, icc_profile=DISPLAY_P3),
        "worker: turned": _again(photo, exif=turned),
        "worker: turned and in Display P3": _again(photo, exif=turned, icc_profile=DISPLAY_P3),
    }
    return {
        "json.loads of the body": _cpu(lambda: json.loads(body)),
        "gateway: nothing to cut": _cpu(lambda: strip(photo)),
        "gateway: a phone's notes and preview cut out": _cpu(lambda: strip(phone)),
        **{name: _cpu(partial(_worker_s, data)) for name, data in upright.items()},
    }


def print_photo_costs(photo: bytes) -> None:
    """Print the table."""
    costs = photo_costs(photo)
    loads = costs["json.loads of the body"]
    print("CPU for a photo of 12 megapixels:")
    for name, seconds in costs.items():
        print(f"  {name:<46} {seconds * 1e3:7.1f} ms  {seconds / loads:6.2f} x json.loads")


if __name__ == "__main__":
    print_photo_costs(plain_photo())
