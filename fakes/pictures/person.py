"""The person of the synthetic portrait."""

from PIL import Image, ImageDraw, ImageFilter


def draw_person(size: tuple[int, int], seed: int, zoom: float) -> Image.Image:
    """Draw the person at a size."""
    width, height = size
    image = Image.new("RGB", size, (150 + seed % 40, 170, 190))
    draw = ImageDraw.Draw(image)
    unit = 0.38 * min(width, height) * zoom
    x, y = width / 2, height * 0.38
    skin = (224, 172, 140)

    def oval(cx: float, cy: float, rx: float, ry: float, fill: tuple[int, int, int]) -> None:
        draw.ellipse((x + (cx - rx) * unit, y + (cy - ry) * unit, x + (cx + rx) * unit, y + (cy + ry) * unit), fill)

    oval(0, -0.08, 0.46, 0.56, (70, 46, 34))
    oval(0, 1.7, 1.15, 0.85, (60, 80, 120))
    oval(0, 1.0, 0.36, 0.4, skin)
    oval(0, 0.6, 0.2, 0.4, skin)
    oval(0, 0, 0.36, 0.5, skin)
    return image.filter(ImageFilter.GaussianBlur(1))
