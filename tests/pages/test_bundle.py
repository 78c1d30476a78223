"""The pages' files: there, whole, hashed, and said to be missing where they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from wattkeeper.web import bundle


def test_every_entry_has_an_address_by_its_hash(bundled: None) -> None:
    for entry in bundle.ENTRIES:
        address = bundle.address(entry)
        assert address.startswith(f"/static/{Path(entry).stem}-")
        assert (bundle.STATIC / Path(address).name).stat().st_size > 0


def test_what_is_built_is_not_built_again(bundled: None, tmp_path: Path) -> None:
    assert bundle.is_built()
    assert bundle.build(tmp_path / "never made") is False
    assert not (tmp_path / "never made").exists()


@pytest.mark.parametrize("change", ["source", "file"])
def test_what_changed_is_not_taken_for_built(
    bundled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    shutil.copytree(bundle.SOURCES, tmp_path / "assets")
    shutil.copytree(bundle.STATIC, tmp_path / "static")
    monkeypatch.setattr(bundle, "SOURCES", tmp_path / "assets")
    monkeypatch.setattr(bundle, "STATIC", tmp_path / "static")
    assert bundle.is_built()
    if change == "source":
        with (tmp_path / "assets" / "app.css").open("a") as style:
            style.write("/* another */")
    else:
        manifest = json.loads((tmp_path / "static" / bundle.MANIFEST).read_text())
        (tmp_path / "static" / manifest["files"][0]).unlink()
    assert not bundle.is_built()


def test_what_is_missing_says_how_to_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "STATIC", tmp_path)
    bundle._names.cache_clear()
    with pytest.raises(bundle.NotBuilt, match=r"python -m wattkeeper\.web\.bundle"):
        bundle.address("app.js")
    bundle._names.cache_clear()


def test_the_lock_names_no_address_and_fixes_every_version() -> None:
    lock = json.loads((bundle.SOURCES / "package-lock.json").read_text())
    assert "://" not in json.dumps(lock)
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
    wanted = json.loads((bundle.SOURCES / "package.json").read_text())["dependencies"]
    assert all(version[0].isdigit() for version in wanted.values())
