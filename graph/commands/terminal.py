"""What commands have in common at the terminal: files in and out, and how a failure is said."""

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
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}") from None


def say(text: str) -> None:
    """For a person; what a program reads goes to stdout."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    """Ends the command with status 1."""
    say(f"citygraph: {text}")
    sys.exit(1)
