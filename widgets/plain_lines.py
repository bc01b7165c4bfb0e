"""Draws a widget that is nothing but lines, without what Textual does for borders, padding and links.

For a table of ages every line is another one at each refresh: there Textual's way costs more than the
drawing itself.
"""

from typing import Self

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class PlainLines(Widget):
    """A widget without border, padding or opacity, whose lines are drawn by `render_line`."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._kept: dict[int, Strip] = {}
        """Lines drawn and not refreshed since, with the filters applied."""
        self._kept_width = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`: those that were refreshed are drawn, the others are as they were."""
        width = self.scrollable_content_region.width  # the scroll bar draws itself
        if width != self._kept_width:
            self._kept, self._kept_width = {}, width
        kept = self._kept
        missing = [y for y in crop.line_range if y not in kept]
        if missing:
            filters, background = self.get_line_filters(), self.background_colors[1]
            for y in missing:
                # one strip for all filters: each strip comes with seven caches of its own
                segments = list(self.render_line(y).adjust_cell_length(width))
                for line_filter in filters:
                    segments = line_filter.apply(segments, background)
                kept[y] = Strip(segments, width)
        strips = [kept[y] for y in crop.line_range]
        if crop.x > 0 or crop.right < width:
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Have these regions drawn again; none: all of it."""
        if repaint and not regions:
            self._kept.clear()
        for region in regions if repaint else ():
            for y in region.line_range:
                self._kept.pop(y, None)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Theme, focus or classes changed: nothing looks as it did."""
        self._kept.clear()
        super().notify_style_update()
