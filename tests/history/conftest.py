"""The world of a story, for history too."""

from tests.history.test_import import house
from tests.stories.conftest import world

__all__ = ["house", "world"]
