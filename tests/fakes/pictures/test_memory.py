"""Drawings that are made once."""

from fakes.pictures.memory import Memory

MOST = 64


def test_the_same_arguments_are_drawn_once() -> None:
    drawn: list[bytes] = []

    def picture(data: bytes, size: int) -> tuple[bytes, int]:
        drawn.append(data)
        return data, size

    memory = Memory(MOST)
    asked = [(b"a", 1), (b"a", 1), (b"a", 2)]
    assert [memory.draw(picture, *given) for given in asked] == asked
    assert drawn == [b"a", b"a"]


def test_one_that_keeps_nothing_draws_each_time() -> None:
    drawn: list[int] = []
    memory = Memory(0)
    for _ in range(2):
        memory.draw(drawn.append, 1)
    assert drawn == [1, 1]


def test_two_functions_of_the_same_arguments_are_two_drawings() -> None:
    memory = Memory(MOST)
    assert [memory.draw(function, -1) for function in (abs, str)] == [1, "-1"]


def test_a_picture_that_others_push_out_at_once_is_returned() -> None:
    memory = Memory(MOST)

    class Oldest:
        """What is drawn while it is pushed out is what other threads may draw at that moment."""

        def __del__(self) -> None:
            for number in range(MOST + 1):
                memory.draw(picture, 1000 + number)

    def picture(number: int) -> object:
        return Oldest() if number == 0 else number

    memory.draw(picture, 0)
    assert [memory.draw(picture, number) for number in range(1, MOST + 1)] == list(range(1, MOST + 1))
