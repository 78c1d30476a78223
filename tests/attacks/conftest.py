"""What attacks borrow from other rooms' tests: they come through both doors."""

from __future__ import annotations

from tests.oidc.conftest import open_company, visit
from tests.web.conftest import house

__all__ = ["house", "open_company", "visit"]
