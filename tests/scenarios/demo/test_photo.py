import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from scenarios.demo.photo import USUAL_POINTS, DemoError, drawn, load, parse


def png(path: Path) -> Path:
    Image.new("RGB", (64, 48), "white").save(path, "PNG")
    return path


def test_points_are_read_with_and_without_a_label() -> None:
    assert parse("0.5,0.62  1,0:0 0,1:1") == [
        {"x": 0.5, "y": 0.62, "label": 1},
        {"x": 1.0, "y": 0.0, "label": 0},
        {"x": 0.0, "y": 1.0, "label": 1},
    ]


@pytest.mark.parametrize("word", ["0.5", "0.5,", "a,b", "0.5,0.6:2", "0.5,0.6:x", "1.1,0.5", "nan,0.5", "0.5;0.5"])
def test_a_point_that_cannot_be_read_is_named(word: str) -> None:
    with pytest.raises(DemoError, match="cannot read") as error:
        parse(f"0.1,0.1 {word}")
    assert repr(word) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("points", ["", "0.5,0.5:0"])
def test_a_foreground_point_is_needed(points: str) -> None:
    with pytest.raises(DemoError, match="no foreground point"):
        parse(points)


def test_the_usual_points_can_be_read() -> None:
    assert {point["label"] for point in parse(USUAL_POINTS)} == {1}


def test_the_drawn_portrait_is_a_12_megapixel_jpeg_of_5_mb_with_a_necklace() -> None:
    photo = drawn("")
    with Image.open(BytesIO(photo.data)) as image:
        assert (image.format, image.size) == ("JPEG", (3000, 4000))
    assert 4.5e6 < len(photo.data) < 6e6
    assert photo.title == f"a synthetic portrait, 3000 x 4000, {len(photo.data) / 1e6:.1f} MB"
    assert len(photo.points) == 5
    assert drawn("0.1,0.2").points == [{"x": 0.1, "y": 0.2, "label": 1}]


def test_a_photo_is_posted_as_it_is(tmp_path: Path) -> None:
    path = png(tmp_path / "me.png")
    photo = load(path, "0.2,0.3")
    assert photo.data == path.read_bytes()
    assert photo.title == "me.png, 64 x 48, 0.0 MB"
    assert photo.points == [{"x": 0.2, "y": 0.3, "label": 1}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is neither a JPEG nor a PNG file"),
        (b"not a picture at all", "is neither a JPEG nor a PNG file"),
    ],
)
def test_a_file_that_is_no_photo_is_one_clear_line(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "photo.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DemoError) as error:
        load(path, "")
    assert str(error.value) == f"PHOTO={path} {reason}"


def test_another_picture_format_and_a_folder_are_refused(tmp_path: Path) -> None:
    gif = BytesIO()
    Image.new("P", (64, 64)).save(gif, "GIF")
    (tmp_path / "photo.gif").write_bytes(gif.getvalue())
    with pytest.raises(DemoError, match="neither a JPEG nor a PNG"):
        load(tmp_path / "photo.gif", "")
    with pytest.raises(DemoError, match="Is a directory"):
        load(tmp_path, "")


def test_a_bomb_is_refused_without_decoding_it(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    data = bytearray(png(bomb).read_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    bomb.write_bytes(data)
    with pytest.raises(DemoError, match="claims more pixels than can be decoded"):
        load(bomb, "")
