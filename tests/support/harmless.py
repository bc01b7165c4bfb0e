"""What a terminal may be given, judged without the code that is to see to it."""

import unicodedata

_BIDI_CONTROLS = {"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_INVISIBLE = set("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")


def is_harmful(character: str) -> bool:
    """Whether a terminal acts upon it, or it hides or turns round what stands beside it."""
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in _BIDI_CONTROLS
        or character in _INVISIBLE
    )


def is_harmless_line(text: str) -> bool:
    """Whether `text` is one line of characters that are only shown."""
    return not any(is_harmful(character) for character in text)
