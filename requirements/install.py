"""Install locked lists of dependencies, by hash, into the environment this runs in; then Wattkeeper itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent


def install(*arguments: str) -> int:
    """Install with uv; with pip where uv has no way to the packages. Gives the exit status."""
    uv = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", sys.executable, *arguments]
    if subprocess.run(uv, check=False).returncode == 0:
        return 0
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(pip, check=False).returncode


locks = [word for name in sys.argv[1:] for word in ("-r", str(HERE / f"{name}.txt"))]
failed = install("--require-hashes", *locks)
if not failed and "build" in sys.argv[1:]:
    failed = install("--no-deps", "--no-build-isolation", "-e", str(HERE.parent))
sys.exit(failed)
