"""`wattkeeper keys`, `backup`, `restore` and `check`, as a stranger types them, wrong arguments too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


class Shell:
    """A folder with an installation, and what is typed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, code: int = 0, limit: int = 0, **given: str) -> str:
        """What a command says; ``limit``: how large a file may become, KiB, as on a full disk."""
        told = {"database": f"sqlite:///{self.folder}/w.db", "root_key": f"{self.folder}/root.key"}
        told |= {"forgotten": f"{self.folder}/forgotten"} | given
        own = {name: value for name, value in os.environ.items() if not name.startswith("WATTKEEPER_")}
        own |= {f"WATTKEEPER_{name.upper()}": value for name, value in told.items()}
        program = [sys.executable, "-m", "wattkeeper", *words]
        if limit:
            program = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "bash", *program]
        done = subprocess.run(program, env=own, capture_output=True, text=True, cwd=self.folder, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_keys_are_shown_and_replaced(shell: Shell) -> None:
    assert "root 1" in shell("keys")
    assert "fresh root key" in shell("keys", "rotate", "root", "--dry-run")
    assert "root 1" in shell("keys")
    said = shell("keys", "rotate", "all")
    assert "log: The log is signed by another key" in said
    shown = shell("keys")
    assert "root 2" in shown
    assert "under way" in shown, "codes wait to be ended"
    assert "pepper of codes before is destroyed" in shell("keys", "rotate", "codes", "--end")
    assert "There is no key 'cars'" in shell("keys", "rotate", "cars", code=1)
    assert "name which" in shell("keys", "rotate", "all", "--end", code=1)
    assert "names no root key" in shell("keys", "rotate", "root", "--to", "nowhere", code=1)


def test_h5_a_root_that_is_lost_or_anothers_opens_nothing_and_says_what_to_do(shell: Shell) -> None:
    shell("keys")
    key = shell.folder / "root.key"
    kept = key.read_bytes()
    key.unlink()
    assert "Restore it from its backup" in shell("keys", code=1)
    shell("keys", database=f"sqlite:///{shell.folder}/other.db")  # makes a root of its own
    assert "does not fit this database" in shell("keys", code=1)
    assert "does not fit" in shell("serve", code=1)
    key.write_bytes(kept)
    shell("keys")


def test_a_backup_is_made_tested_and_put_back(shell: Shell) -> None:
    shell("keys")
    assert "Keep that" in shell("backup", "b", "--keys", "apart")
    assert "It comes back" in shell("backup", "check", "b", "--keys", "apart")
    assert "not empty" in shell("backup", "b", code=1)
    assert "--keys" in shell("backup", "check", "b", code=1)
    assert "holds something already" in shell("restore", "b", "--keys", "apart", code=1)
    other = f"sqlite:///{shell.folder}/r.db"
    assert "nobody-was-forgotten" in shell("restore", "b", "--keys", "apart", database=other, code=1)
    assert "restore replay" in shell("serve", database=other, code=1)
    said = shell("restore", "replay", "--nobody-was-forgotten", database=other)
    assert "It may serve now" in said
    shell("keys", "rotate", "root")
    third = f"sqlite:///{shell.folder}/t.db"
    assert "root key of when it was made" in shell("restore", "b", "--keys", "apart", database=third, code=1)
    assert not (shell.folder / "t.db").exists()


def test_h8_a_backup_onto_a_full_disk_is_no_backup(shell: Shell) -> None:
    shell("keys")
    assert "Is there room on the disk" in shell("backup", "b", code=1, limit=64)
    assert not [path.name for path in shell.folder.iterdir() if path.name.startswith("b")]
    shell("backup", "b")


def test_what_production_needs_is_told(shell: Shell) -> None:
    assert "WATTKEEPER_PUBLIC_URL" in shell("check", code=1)
    assert "It does not start as production" in shell("serve", code=2, profile="production")
    fit: Any = {"tls_by_proxy": "yes", "public_url": "https://charge.example", "docs": "no"}
    assert "Nothing would go in clear" in shell("check", **fit)
