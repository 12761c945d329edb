"""Brings a database to the newest schema, by Alembic, from a checkout or from an installed wheel alike."""

from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config

from resolvers.stores.engine import async_url

_IN_CHECKOUT = Path(__file__).parents[2] / "migrations"


def migrate(url: str, revision: str = "head") -> None:
    """Upgrades to `revision`. Blocks and runs an event loop of its own: call it by `asyncio.to_thread` from another."""
    # A wheel carries the scripts inside this package; a checkout has them at its root.
    with as_file(files("resolvers.stores") / "_migrations") as in_wheel:
        command.upgrade(alembic_config(url, in_wheel if in_wheel.is_dir() else _IN_CHECKOUT), revision)


def downgrade(url: str, revision: str) -> None:
    """Takes the schema back to `revision`, or to nothing by `base`."""
    with as_file(files("resolvers.stores") / "_migrations") as in_wheel:
        command.downgrade(alembic_config(url, in_wheel if in_wheel.is_dir() else _IN_CHECKOUT), revision)


def alembic_config(url: str, scripts: Path) -> Config:
    """Alembic's configuration without a file: the scripts and the address are all that it needs."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    address = async_url(url).render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
    return config
