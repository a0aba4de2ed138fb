"""Streams that the report is written to, and what has arrived on them."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper


class Log(TextIOWrapper):
    """A file or pipe in some encoding, that refuses what the encoding cannot write."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = BytesIO()
        super().__init__(self.bytes, encoding, newline="")

    @property
    def text(self) -> str:
        """What has arrived."""
        return self.bytes.getvalue().decode(self.encoding)


class Screen(StringIO):
    """What a terminal was sent."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True
