"""Parts onto a canvas: shapes with smooth corners, texts, pictures."""

from __future__ import annotations

import tkinter

from alonechat.core.client.theme import author_index
from alonechat.core.client.words import _
from alonechat.ui.gui import shapes
from alonechat.ui.gui.attached import fitted
from alonechat.ui.gui.fonts import Fonts
from alonechat.ui.gui.palette import Palette
from alonechat.ui.gui.parts import Avatar, Emoji, Fill, Icon, Label, Laid, Part, Picture
from alonechat.ui.gui.photos import Photos, Wanted
from alonechat.ui.gui.pictures import Pictures

CORNERS = ("nw", "ne", "se", "sw")
Tag = str | tuple[str, ...]


class Painter:
    """Draws on any canvas of the window, in the colours of the moment."""

    def __init__(self, fonts: Fonts, pictures: Pictures, palette: Palette, photos: Photos) -> None:
        self.fonts, self.pictures, self.palette, self.photos = fonts, pictures, palette, photos

    def laid(self, canvas: tkinter.Canvas, laid: Laid, at: tuple[int, int], tag: str) -> list[tkinter.PhotoImage]:
        """A row whose upper left corner stands at `at`; all its items bear the tag. Gives the pictures of messages that
        it shows, which are gone from the canvas when nobody holds them."""
        found = []
        for part in laid.parts:
            if isinstance(part, Picture):
                found.append(self.photo(canvas, part, at, tag))
            else:
                self.part(canvas, part, at, tag)
        return [image for image in found if image is not None]

    def part(self, canvas: tkinter.Canvas, part: Part, at: tuple[int, int], tag: Tag) -> None:
        """One part."""
        dx, dy = at
        call, name = canvas.tk.call, str(canvas)
        match part:
            case Label():
                colour, font = self.palette.get(part.colour), self.fonts.fonts[part.font]
                tags = (*tag, "txt") if isinstance(tag, tuple) else (tag, "txt")
                call(name, "create", "text", part.x + dx, part.y + dy, "-text", part.text, "-anchor", "nw",
                     "-font", font, "-fill", colour, "-tags", tags)  # fmt: skip
            case Fill():
                self.fill(canvas, (part.x0 + dx, part.y0 + dy, part.x1 + dx, part.y1 + dy), part, tag)
            case Emoji():
                self.emoji(canvas, part, at, tag)
            case Icon():
                image = self.pictures.icon(part.name, part.size, self.palette.get(part.colour))
                call(name, "create", "image", part.x + dx, part.y + dy, "-image", str(image), "-anchor", "nw",
                     "-tags", tag)  # fmt: skip
            case Avatar():
                self.avatar(canvas, part, at, tag)

    def fill(self, canvas: tkinter.Canvas, box: tuple[int, int, int, int], like: Fill, tag: Tag) -> None:
        """A rectangle, its corners round where `like` says so."""
        x0, y0, x1, y1 = box
        if like.edge:
            self.fill(canvas, box, Fill(*box, like.edge, like.radius), tag)
            inner = (x0 + 1, y0 + 1, x1 - 1, y1 - 1)
            self.fill(canvas, inner, Fill(*inner, like.colour, max(like.radius - 1, 0)), tag)
            return
        call, name, colour = canvas.tk.call, str(canvas), self.palette.get(like.colour)
        r = min(like.radius, (x1 - x0) // 2, (y1 - y0) // 2)
        if r < 2:
            call(name, "create", "rectangle", x0, y0, x1, y1, "-fill", colour, "-width", 0, "-tags", tag)
            return
        # Rectangles leave out their right and lower edge, polygons do not: a cross of two would be a pixel too wide.
        call(name, "create", "rectangle", x0 + r, y0, x1 - r, y1, "-fill", colour, "-width", 0, "-tags", tag)
        if y1 - y0 > 2 * r:
            call(name, "create", "rectangle", x0, y0 + r, x0 + r, y1 - r, "-fill", colour, "-width", 0, "-tags", tag)
            call(name, "create", "rectangle", x1 - r, y0 + r, x1, y1 - r, "-fill", colour, "-width", 0, "-tags", tag)
        for which, (x, y) in enumerate(((x0, y0), (x1, y0), (x1, y1), (x0, y1))):
            image = self.pictures.mask(shapes.corner(r, which), colour)
            call(name, "create", "image", x, y, "-image", str(image), "-anchor", CORNERS[which], "-tags", tag)

    def emoji(self, canvas: tkinter.Canvas, part: Emoji, at: tuple[int, int], tag: Tag) -> None:
        """An emoji as a picture; as text where the font has none of it."""
        image = self.pictures.emoji(part.text, part.size)
        x, y = part.x + at[0], part.y + at[1]
        if image is not None:
            canvas.tk.call(str(canvas), "create", "image", x, y, "-image", str(image), "-anchor", "nw", "-tags", tag)
        else:
            font = (self.fonts.family, -round(part.size * 0.86))
            canvas.create_text(x, y, text=part.text, anchor="nw", font=font, fill=self.palette.get("text"), tags=tag)

    def photo(self, canvas: tkinter.Canvas, part: Picture, at: tuple[int, int], tag: str) -> tkinter.PhotoImage | None:
        """A picture of a message; until it is decoded, the ground that it will stand on, and its name."""
        x0, y0 = part.x + at[0], part.y + at[1]
        box, file = (x0, y0, x0 + part.width, y0 + part.height), part.file
        size = (part.width, part.height)
        fills = max(part.width / file.width, part.height / file.height) < 1.02  # else it would be made larger
        if not fills:
            size = fitted(file.width, file.height, size)
        wanted = Wanted(file.path, *size, self.palette.get(part.ground))
        image = self.photos.get(wanted)
        if image is None or not fills:
            self.fill(canvas, box, Fill(*box, f"inset:{part.ground}", part.radius), tag)
        if image is None:
            words = _("{name} can't be shown").format(name=file.name) if self.photos.failed(wanted) else file.name
            canvas.create_text(
                x0 + part.width / 2, y0 + part.height / 2, text=words, width=max(part.width - self.fonts.px(16), 20),
                font=self.fonts.fonts["small"], fill=self.palette.get("secondary"), justify="center", tags=tag,
            )  # fmt: skip
            return None
        left, top = x0 + (part.width - size[0]) // 2, y0 + (part.height - size[1]) // 2
        canvas.create_image(left, top, image=image, anchor="nw", tags=tag)
        r = min(part.radius, part.width // 2, part.height // 2)
        for which, (x, y) in enumerate(((x0, y0), (box[2], y0), (box[2], box[3]), (x0, box[3]))) if fills else ():
            corner = self.pictures.mask(shapes.outside(r, which), self.palette.get(part.ground))
            canvas.create_image(x, y, image=corner, anchor=CORNERS[which], tags=tag)
        return image

    def avatar(self, canvas: tkinter.Canvas, part: Avatar, at: tuple[int, int], tag: Tag) -> None:
        """Initials, or an icon's name after a colon, on a disc."""
        x, y, size = part.x + at[0], part.y + at[1], part.size
        index = author_index(part.author)
        ground, ink = self.palette.get(f"avatar:{index}"), self.palette.get(f"author:{index}")
        disc = self.pictures.mask(shapes.disc(size), ground)
        canvas.create_image(x, y, image=disc, anchor="nw", tags=tag)
        if part.text.startswith("icon:"):
            inside = round(size * 0.5)
            image = self.pictures.icon(part.text[5:], inside, ink, 2.2)
            canvas.create_image(x + (size - inside) // 2, y + (size - inside) // 2, image=image, anchor="nw", tags=tag)
            return
        font = self.fonts.fonts["initials"] if size >= self.fonts.px(30) else self.fonts.fonts["mark"]
        canvas.create_text(x + size / 2, y + size / 2, text=part.text, font=font, fill=ink, tags=tag)

    def presence(self, canvas: tkinter.Canvas, state: str, at: tuple[int, int], style: tuple[int, str, str]) -> None:
        """A person's presence, by shape and colour: a disc, a half disc, a barred one, a ring. `style`: its size, the
        ground around it, the tag."""
        size, ground, tag = style
        back = self.pictures.mask(shapes.disc(size + 2 * self.fonts.px(2)), self.palette.get(ground))
        canvas.create_image(*at, image=back, anchor="center", tags=tag)
        line = 1.6 * self.fonts.scale
        shape, colour = {
            "online": (shapes.disc(size), "online"),
            "away": (shapes.half(size, line), "away"),
            "busy": (shapes.barred(size), "danger"),
        }.get(state, (shapes.ring(size, line), "secondary"))
        canvas.create_image(*at, image=self.pictures.mask(shape, self.palette.get(colour)), anchor="center", tags=tag)
