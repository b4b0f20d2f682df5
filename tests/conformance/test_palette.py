"""The palette keeps its promises: readable text, visible edges, colours apart for colour-blind eyes.

Contrast: WCAG 2.2, relative luminance. Colour blindness: Machado, Oliveira and Fernandes 2009
(doi:10.1109/TVCG.2009.113), severity 1.0, applied to linear RGB. Distance: CIE 1976 L*a*b* (D65).
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from analytics.reports.palette import ROLES, Palette, both, fade, palette

Colour = npt.NDArray[np.float64]

MACHADO = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = RGB_TO_XYZ.sum(axis=1)


def linear(colour: str) -> Colour:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(RGB_TO_XYZ[1] @ linear(colour)) for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: Colour) -> Colour:
    ratio = RGB_TO_XYZ @ rgb / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, eyes: str) -> float:
    seen = [lab(np.clip(MACHADO[eyes] @ linear(colour), 0, 1)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


@pytest.fixture(params=["light", "dark"])
def colours(request: pytest.FixtureRequest) -> Palette:
    return palette(request.param)


def test_the_instruments_of_this_test_give_known_answers() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # the well-known just-failing grey
    assert lab(linear("#FF0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


def test_text_has_a_contrast_of_at_least_4_5(colours: Palette) -> None:
    on_paper = [colours.ink, colours.ink2]
    assert min(contrast(text, colours.paper) for text in on_paper) >= 4.5
    assert min(contrast(text, colours.panel) for text in on_paper) >= 4.5
    # The usual-range band is `hairline`, and its name stands on it.
    assert contrast(colours.ink2, colours.hairline) >= 4.5
    # Words on areas and pale bars are written in ink.
    fills = [colours.better_soft, colours.same, colours.left_soft, colours.moved_soft, colours.series_soft]
    assert min(contrast(colours.ink, fill) for fill in fills) >= 4.5
    solid = [colours.better, colours.worse, colours.left, colours.moved]
    assert min(contrast(colours.on_mark, fill) for fill in solid) >= 4.5
    # Names of regions and signals are written in the verdict's own colour.
    assert min(contrast(colour, colours.paper) for colour in (colours.better, colours.worse)) >= 4.5


def test_marks_or_their_edges_have_a_contrast_of_at_least_3(colours: Palette) -> None:
    marks = [colours.series, colours.better, colours.worse, colours.left, colours.moved, colours.other]
    edges = [colours.axis, colours.unknown, colours.ink2]
    assert min(contrast(mark, colours.paper) for mark in (*marks, *edges, *colours.lines)) >= 3


@pytest.mark.parametrize("eyes", MACHADO)
def test_better_and_worse_are_far_apart(colours: Palette, eyes: str) -> None:
    assert distance(colours.better, colours.worse, eyes) >= 80.5


def test_better_and_worse_are_alike_in_grey_so_shape_must_tell_them_apart() -> None:
    assert contrast(palette("light").better, palette("light").worse) < 1.1


@pytest.mark.parametrize("eyes", MACHADO)
def test_the_four_lines_are_apart(colours: Palette, eyes: str) -> None:
    assert min(distance(one, other, eyes) for one, other in combinations(colours.lines, 2)) >= 14.5


def test_every_role_is_a_plain_colour_in_both_themes() -> None:
    for role in ROLES:
        for theme in ("light", "dark"):
            colour = getattr(palette(theme), role)
            assert len(colour) == 7
            assert int(colour[1:], 16) >= 0
    assert both("better") == "light-dark(#1F6FB2, #5FA6E4)"
    assert fade("#1F6FB2", 0.5) == "rgba(31,111,178,0.5)"
