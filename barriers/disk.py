"""What the system refuses a file for, and whose fault that is."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

OF_THE_PATH = frozenset(
    {
        errno.ENOENT,
        errno.EACCES,
        errno.EPERM,
        errno.EISDIR,
        errno.ENOTDIR,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EROFS,
    }
)
"""Errors that another path mends: the user named it. All others are the machine's."""

NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL})
"""What file systems without locks say: Lustre mounted without ``flock``, NFS without its lock service, FUSE."""

FULL = {errno.ENOSPC: "disk full", errno.EDQUOT: "disk quota used up"}


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Name a file, or the folder it is in, when it cannot be written.

    Raises
    ------
    ValueError
        One line, if another path would do.
    OSError
        If not: the disk is full, for one. Its ``filename`` is set, which the system leaves out once a file is open.
    """
    try:
        yield
    except OSError as error:
        if error.errno in OF_THE_PATH:
            raise ValueError(f"{path}: cannot be written: {error.strerror}") from error
        if error.errno is not None:
            error.filename = error.filename or str(path)
        raise


def writes_folder(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a function that writes into its argument ``folder``: :func:`writing` speaks for all of it."""
    takes = inspect.signature(function)

    @wraps(function)
    def with_folder(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with writing(takes.bind(*args, **kwargs).arguments["folder"]):
            return function(*args, **kwargs)

    return with_folder


def trouble(error: Exception) -> str | None:
    """Say what is wrong with the machine; None for an error that is not the machine's."""
    if not isinstance(error, OSError) or error.errno is None or error.errno in OF_THE_PATH:
        return None
    if error.errno in FULL:
        place = f" while writing {error.filename}" if error.filename else ""
        return f"{FULL[error.errno]}{place}; free space and run the same command again"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
