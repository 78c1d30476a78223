"""Lock every list of dependencies to exact versions with hashes; the lists name no addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LISTS = (("uv.in", "uv.txt"), ("../pyproject.toml", "runtime.txt"), ("build.in", "build.txt"), ("dev.in", "dev.txt"))
OPTIONS = ("--universal", "--generate-hashes", "--python-version=3.11", "--no-header", "--no-emit-index-url", "--quiet")

for source, lock in LISTS:
    command = (str(Path(sys.executable).parent / "uv"), "pip", "compile", *OPTIONS, "--upgrade", source, "-o", lock)
    subprocess.run(command, cwd=HERE, check=True)
    print(f"locked {lock}")
