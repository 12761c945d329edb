"""Strings and descriptions as SDL, printed as graphql-core prints them."""

from graphql import StringValueNode, print_ast


def quoted(text: str) -> str:
    return print_ast(StringValueNode(value=text))


def described(text: str | None, indent: str = "") -> str:
    """The description before an element, with its newline; nothing where there is none."""
    if not text:
        return ""
    block = print_ast(StringValueNode(value=text, block=True))
    return "".join(f"{indent}{line}\n" if line else "\n" for line in block.splitlines())
