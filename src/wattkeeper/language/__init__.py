"""What we speak: phrases told in the language of whoever reads them."""

from wattkeeper.language.catalogue import (
    DEFAULT,
    LANGUAGES,
    NAMES,
    SPOKEN,
    chosen,
    locale,
    means,
    spoken,
    tell,
    tell_in,
)
from wattkeeper.language.kept import retold

__all__ = [
    "DEFAULT",
    "LANGUAGES",
    "NAMES",
    "SPOKEN",
    "chosen",
    "locale",
    "means",
    "retold",
    "spoken",
    "tell",
    "tell_in",
]
