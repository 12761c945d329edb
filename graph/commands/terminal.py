"""What commands have in common at the terminal: files in and out, and how a failure is said."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from graph.config import ConfigError


def read_text(path: Path, what: str) -> str:
    """The file's text; raises `ConfigError` naming the file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{what} {path} is not UTF-8 text") from None


def write_result(text: str, output: Path | None) -> None:
    """To the file, or to stdout."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        if output.exists() and not output.is_file():
            output.write_text(text, encoding="utf-8")  # a pipe or a terminal, which nothing can take the place of
        else:
            _replace(output, text)
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    """Whole or not at all: whoever watches the file never sees half of it."""
    path = path.resolve()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        if path.exists():
            draft.chmod(path.stat().st_mode)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def say(text: str) -> None:
    """For a person; what a program reads goes to stdout."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    """Ends the command with status 1."""
    say(f"citygraph: {text}")
    sys.exit(1)
