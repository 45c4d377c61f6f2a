import pytest

from scenarios.contract.shapes import BASE64, NUMBER, PIXELS, SHARE, TEXT, URI, OrNull, Shape, difference, one_of

SHAPE: Shape = {"uri": URI, "metrics": OrNull({"iou": SHARE})}


def test_what_fits_has_no_difference() -> None:
    assert difference(SHAPE, {"uri": "azure://c/x.jpg", "metrics": None}) == []
    assert difference(SHAPE, {"uri": "azure://c/x.jpg", "metrics": {"iou": 1}}) == []
    assert difference(SHAPE, {"uri": "azure://c/x.jpg", "metrics": None, "more": [1]}) == []


def test_a_renamed_field_is_seen_as_the_old_name_and_the_new_one() -> None:
    assert difference({"uri": URI, "width": PIXELS}, {"URI": "azure://c/x.jpg", "width": 3}) == [
        "    {",
        '-     "uri": azure://container/blob',
        '      "width": 3',
        '+     "URI": "azure://c/x.jpg"',
        "    }",
    ]


def test_a_wrong_value_deep_inside_is_shown_beside_what_was_due() -> None:
    assert difference(SHAPE, {"uri": "azure://c/x.jpg", "metrics": {"iou": 1.2}, "more": 1}) == [
        "    {",
        '      "uri": "azure://c/x.jpg"',
        '      "metrics": {',
        '-       "iou": a number from 0 to 1',
        '+       "iou": 1.2',
        "      }",
        '      "more": 1   (not in the contract)',
        "    }",
    ]


def test_a_missing_object_is_described_by_its_fields() -> None:
    assert '-     "metrics": {"iou": a number from 0 to 1} or null' in difference(SHAPE, {"uri": "azure://c/x.jpg"})


def test_long_values_are_cut() -> None:
    [_, due, found, _] = difference({"uri": URI}, {"uri": "x" * 500})
    assert "azure://container/blob" in due
    assert len(found) < 120
    assert "(502 characters)" in found


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (TEXT, ["a"], ["", None, 1]),
        (PIXELS, [1, 4000], [0, -1, 1.0, True, "1", None]),
        (NUMBER, [0, -1.5], [True, "1", float("nan"), None]),
        (SHARE, [0, 1, 0.5], [-0.01, 1.01, True]),
        (URI, ["azure://a/b", "azure://a/b/c.jpg"], ["azure://a", "https://a/b", None]),
        (BASE64, ["aGk="], ["", "not base64!", None]),
        (one_of("a", "b"), ["a"], ["c", None]),
    ],
)
def test_kinds(kind: object, good: list[object], bad: list[object]) -> None:
    for value in good:
        assert difference(kind, value) == []  # type: ignore[arg-type] # pytest's parameters have no type
    for value in bad:
        assert difference(kind, value) != []  # type: ignore[arg-type] # as above
