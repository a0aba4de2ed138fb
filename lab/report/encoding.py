"""Which characters a stream's reader can be expected to see."""

from __future__ import annotations

import locale


def speaks_unicode(encoding: str) -> bool:
    """Whether what is written in ``encoding`` arrives as more than ASCII.

    Python writes UTF-8 even in the C locale (PEP 540), where the reader may well not expect it;
    so the locale's own codeset has a say as well.
    """
    codeset = locale.nl_langinfo(locale.CODESET)
    return all(name.lower().replace("-", "") == "utf8" for name in (encoding, codeset))
