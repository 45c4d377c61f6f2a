"""Pictures that are drawn once: the cache of the virtual world's fakes."""

from scenarios.world.fakes_process import REMEMBERED, remembering


def test_the_same_arguments_are_drawn_once() -> None:
    drawn: list[bytes] = []

    def picture(data: bytes, *, size: int) -> tuple[bytes, int]:
        drawn.append(data)
        return data, size

    draw = remembering(picture)
    assert [draw(b"a", size=1), draw(b"a", size=1), draw(b"a", size=2)] == [(b"a", 1), (b"a", 1), (b"a", 2)]
    assert drawn == [b"a", b"a"]


def test_a_picture_that_others_push_out_at_once_is_returned() -> None:
    class Oldest:
        """What is drawn while it is pushed out is what other threads may draw at that moment."""

        def __del__(self) -> None:
            for number in range(REMEMBERED + 1):
                draw(1000 + number)

    draw = remembering(lambda number: Oldest() if number == 0 else number)
    draw(0)
    assert [draw(number) for number in range(1, REMEMBERED + 1)] == list(range(1, REMEMBERED + 1))
