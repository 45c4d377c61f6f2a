"""One decoder for what users and services send: base64 in whichever dress, and never a guess at what is none."""

import base64
import textwrap
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from app.pictures.base64_text import Base64Error, decode_base64
from tests.app.pictures.made import of_the_field

PICTURES = [b"\xff\xd8" + Random(size).randbytes(size) for size in (1000, 1001, 1002, 4098)]


def plain(data: bytes) -> str:
    return base64.b64encode(data).decode()


DRESSES: dict[str, Callable[[bytes], str]] = {
    "plain": plain,
    "a data: URL": lambda data: "data:image/jpeg;base64," + plain(data),
    "a data: URL in capitals": lambda data: "DATA:image/png;charset=utf-8;BASE64," + plain(data),
    "lines": lambda data: base64.encodebytes(data).decode(),
    "lines of Windows": lambda data: "\r\n".join(textwrap.wrap(plain(data), 64)),
    "lines that are indented": lambda data: "\n    ".join(textwrap.wrap(plain(data), 76)),
    "words": lambda data: " ".join(textwrap.wrap(plain(data), 40)),
    "lines around it": lambda data: " \n" + plain(data) + " \n",
    "a line behind it": lambda data: plain(data) + "\n",
    "the alphabet of URLs": lambda data: base64.urlsafe_b64encode(data).decode(),
    "no padding": lambda data: plain(data).rstrip("="),
    "the alphabet of URLs without padding": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "every plus became a space": lambda data: plain(data).replace("+", " "),
    "every plus of a data: URL became a space": lambda data: "data:image/jpeg;base64," + plain(data).replace("+", " "),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("picture", PICTURES, ids=len)
def test_every_dress_holds_the_same_picture(dress: str, picture: bytes) -> None:
    assert decode_base64(DRESSES[dress](picture)) == picture


def test_words_without_a_plus_are_words() -> None:
    assert decode_base64("AAAA AAAA AAAA") == bytes(9)
    assert decode_base64("") == b""


@pytest.mark.parametrize("path", of_the_field("35-*.txt"))
def test_pictures_that_lost_their_plus_are_whole_again(path: Path) -> None:
    text = path.read_text()
    assert "+" not in text
    assert plain(decode_base64(text)) == text.strip().replace(" ", "+")


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "AAA*",
        "AA=A",
        "äöü" * 100,
        "data:image/svg+xml,<svg>",
        "data:" + "a" * 5000,
        "data:x;base64",
        "AAAA\0",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(Base64Error, match="base64"):
        decode_base64(text)
