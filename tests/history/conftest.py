"""The world of a story, for history too."""

from tests.stories.conftest import world

__all__ = ["world"]
