"""The bundled test server as an executable: its C source compiled once and kept in a cache."""

from __future__ import annotations

import os
from pathlib import Path

from lab.model.errors import Missing
from lab.sandbox.cache_folder import cache_folders, is_ours

FLAGS = ("-std=c11", "-O2")
PACKAGES = "apt-get install gcc libc6-dev"
WHY = "the bundled test server is compiled on first use"


def server_binary(source: Path, cache: Path | None = None) -> Path:
    """The executable of the test server, compiled on first use with $CC or cc.

    Where the cache folder cannot be written to (or its binaries may not be executed, on a
    file system mounted noexec), a private folder below the temporary one takes its place.

    Args:
        source: the server's one C file.
        cache: the folder for caches of all kinds, a `natlab` folder is made in it; by default
            $XDG_CACHE_HOME or ~/.cache (XDG Base Directory Specification).

    Returns:
        The absolute path of the executable, mode 0755. Its name holds a digest of the source, the
        flags, the machine and the C library, so that a change of any makes another file.

    Raises:
        Missing: there is no C compiler, it cannot compile for lack of a header, or no folder for
            the result can be written to.
        OSError: the source cannot be read.
    """
    text = source.read_bytes()
    name = f"origdst-{_digest(text)}"
    folders = tuple(cache_folders(cache))
    for folder in folders:
        if _is_usable(folder / name):
            return folder / name
    for folder in folders:
        try:
            _compile(source, folder, name)
        except OSError:
            continue
        if _is_usable(folder / name):
            return folder / name
    raise Missing(
        "a folder for the compiled test server",
        f"none of {', '.join(map(str, folders))} is ours to write to and to execute from",
        "export XDG_CACHE_HOME=FOLDER",
    )


def _digest(source: bytes) -> str:
    """16 hex digits for what the binary depends on, told apart without starting the compiler.

    The digest by which Python recognises its own compiled files: `import hashlib` loads OpenSSL,
    which takes longer than all the rest of finding a cached binary.
    """
    from importlib.util import source_hash

    key = "\0".join((*FLAGS, os.uname().machine, _libc()))
    return source_hash(source + b"\0" + key.encode()).hex()


def _libc() -> str:
    """The C library's name and version; only glibc answers this confstr(3) question."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "libc"
    except (ValueError, OSError):
        return "libc"


def _is_usable(binary: Path) -> bool:
    """Whether the binary is there, trustworthy and executable.

    access(2) answers EACCES for X_OK on a file system mounted noexec.
    """
    return is_ours(binary.parent) and is_ours(binary) and os.access(binary, os.X_OK)


def _compile(source: Path, folder: Path, name: str) -> None:
    """Compiles into the folder.

    The compiler writes in a folder of its own and link(2) puts the result in place: two processes
    that race both end with a whole binary.

    Raises:
        OSError: the folder is not ours or cannot be written to.
        Missing: no compiler, or it failed.
    """
    import tempfile

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_ours(folder):
        raise PermissionError(f"{folder} belongs to somebody else")
    with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=folder) as workshop:
        binary = Path(workshop) / name
        _run_compiler(source, binary)
        binary.chmod(0o755)
        _install(binary, folder / name)


def _install(binary: Path, target: Path) -> None:
    """Give the binary its name, unless somebody was faster.

    What is there already may be on its way into a lab: were it replaced, that lab would find a
    deleted file, which move_mount(2) refuses.
    """
    try:
        target.hardlink_to(binary)
    except OSError:
        if not _is_usable(target):
            binary.replace(target)


def _run_compiler(source: Path, binary: Path) -> None:
    """Runs $CC, which may carry arguments of its own as in make(1), or cc."""
    import subprocess

    compiler = os.environ.get("CC", "").split() or ["cc"]
    try:
        done = subprocess.run(
            [*compiler, *FLAGS, "-o", str(binary), str(source)],
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError:
        raise Missing(f"a C compiler ({compiler[0]})", WHY, PACKAGES) from None
    if done.returncode != 0:
        raise Missing(
            f"a C compiler that works ({compiler[0]})",
            f"{WHY}, and that failed: {_first_error(done.stderr, done.returncode)}",
            PACKAGES,
        )


def _first_error(stderr: str, returncode: int) -> str:
    """The compiler's first line that speaks of an error, its first line if none does."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = (line for line in lines if "error" in line.lower())
    return next(errors, lines[0] if lines else f"exit code {returncode}")
