"""What is really drawn: each text with its colour and the colour behind it, from layouts and from widgets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alonechat.ui.gui.parts import Emoji, Fill, Icon, Label, Laid
from alonechat.ui.gui.shapes import Mask


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2 has it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dim = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def pairs(laid: Laid, texts: bool) -> Iterator[tuple[str, str, str]]:
    """The names of ink and ground of each text of a row, or of each icon, and what it is."""
    for at, part in enumerate(laid.parts):
        if isinstance(part, (Fill, Emoji)) or not isinstance(part, Label if texts else Icon):
            continue
        wide = part.width if isinstance(part, Label) else part.size
        x, y = part.x + (wide or 8) // 2, part.y + 8
        below = [each for each in laid.parts[:at] if isinstance(each, Fill) and each.y1 - each.y0 > 3]
        under = [each for each in below if each.x0 <= x < each.x1 and each.y0 <= y < each.y1]
        yield part.colour, under[-1].colour if under else "ground", getattr(part, "text", getattr(part, "name", ""))


def texts(widget: Any, pictures: Any) -> Iterator[tuple[str, str, str]]:
    """Ink, ground and words of every text that a widget and all in it show now."""
    masks = {str(image): key for key, image in pictures._made.items() if len(key) == 2 and isinstance(key[0], Mask)}
    yield from _texts(widget, masks)


def _texts(widget: Any, masks: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if not widget.winfo_ismapped() and widget.winfo_toplevel() is not widget:
        return
    kind, call, name = widget.winfo_class(), widget.tk.call, str(widget)
    if kind in ("Label", "Entry", "Text"):
        shown = {"Label": lambda: call(name, "cget", "-text"), "Entry": lambda: call(name, "get"),
                 "Text": lambda: call(name, "get", "1.0", "end-1c")}[kind]()  # fmt: skip
        if str(shown).strip() and not (kind == "Label" and str(call(name, "cget", "-image"))):
            yield (*(_hex(widget, str(call(name, "cget", part))) for part in ("-fg", "-bg")), str(shown))  # type: ignore[misc]
    if kind == "Canvas":
        yield from _canvas(widget, masks)
    for each in widget.winfo_children():
        yield from _texts(each, masks)


def _hex(widget: Any, colour: str) -> str:
    return "#" + "".join(f"{part // 256:02X}" for part in widget.winfo_rgb(colour))


def _canvas(canvas: Any, masks: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    call, name = canvas.tk.call, str(canvas)
    below: list[tuple[list[int], str, Mask | None]] = []
    for item in canvas.tk.splitlist(call(name, "find", "all")):
        box = [int(part) for part in canvas.tk.splitlist(call(name, "bbox", item))]
        match str(call(name, "type", item)):
            case "rectangle" if fill := str(call(name, "itemcget", item, "-fill")):
                below.append((box, fill, None))
            case "image" if (key := masks.get(str(call(name, "itemcget", item, "-image")))) is not None:
                below.append((box, key[1], key[0]))
            case "text" if shown := str(call(name, "itemcget", item, "-text")).strip():
                if "shapes" in str(call(name, "itemcget", item, "-font")).lower():
                    continue  # customtkinter draws round corners as letters of a font of its own
                x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
                under = [fill for edges, fill, mask in below if _covers(edges, mask, x, y)]
                ground = under[-1] if under else str(call(name, "cget", "-bg"))
                yield _hex(canvas, str(call(name, "itemcget", item, "-fill"))), _hex(canvas, ground), shown


def _covers(box: list[int], mask: Mask | None, x: int, y: int) -> bool:
    if not (box[0] <= x < box[2] and box[1] <= y < box[3]):
        return False
    inside = mask is None or (x - box[0] < mask.width and y - box[1] < mask.height)
    return inside and (mask is None or mask.cover[(y - box[1]) * mask.width + x - box[0]] > 127)
