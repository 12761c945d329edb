"""Settings: who beats whom, and how a bad one is said."""

from pathlib import Path

import pytest

from graph.config import ConfigError, Settings, is_loopback, load_settings
from graph.federation_config import SubgraphSource


def _file(folder: Path, text: str) -> Path:
    path = folder / "city.yaml"
    path.write_text(text)
    return path


def test_setting_when_given_everywhere_then_flag_beats_environment_beats_yaml_beats_default(tmp_path: Path) -> None:
    config = _file(tmp_path, "port: 1001\nhost: 127.0.0.2\ncity_id: KR-SEOUL\n")
    environ = {"PORT": "1002", "HOST": "127.0.0.3"}

    settings = load_settings(config, {"port": 1003, "host": None}, environ, defaults={"log_level": "DEBUG", "city_id": "X"})

    assert (settings.port, settings.host, settings.city_id, settings.log_level) == (1003, "127.0.0.3", "KR-SEOUL", "DEBUG")


def test_setting_when_its_variable_is_empty_then_as_if_not_set() -> None:
    assert load_settings(environ={"PORT": "", "KEYCLOAK_URL": ""}) == Settings()


def test_list_when_in_the_environment_then_separated_by_commas() -> None:
    settings = load_settings(environ={"CORS_ALLOWED_ORIGINS": "https://a.example, https://b.example,"})

    assert settings.cors_allowed_origins == ("https://a.example", "https://b.example")


def test_config_when_it_names_subgraphs_then_paths_are_relative_to_it(tmp_path: Path) -> None:
    config = _file(
        tmp_path, "subgraphs:\n  accounts: {url: 'http://a:4001/graphql', schema: sdl/accounts.graphql}\n  b: {url: 'http://b'}\n"
    )

    subgraphs = load_settings(config, environ={}).subgraphs

    assert subgraphs == {
        "accounts": SubgraphSource(url="http://a:4001/graphql", schema=tmp_path / "sdl" / "accounts.graphql"),
        "b": SubgraphSource(url="http://b"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot: 1", r"prot in .*city\.yaml: there is no such setting"),
        ("port: many", r"port in .*city\.yaml: 'many' cannot be used"),
        ("- a", "expected a mapping of settings"),
        ("{", "is not YAML"),
        ("subgraphs: {a: {schema: x.graphql}}", r"subgraphs in .*\.a\.url: Field required"),
        ("subgraphs: {a: {url: 'ftp://x'}}", r"\.a\.url: expected an http or https URL"),
        ("subgraphs: {a: {url: 'http://x', header: 1}}", r"\.a\.header"),
        ("subgraphs: [a]", "subgraphs in"),
        ("subgraphs: {a: {url: 'http://x', max_batch: 0}}", r"\.a\.max_batch"),
        ("headers: [{insert: {name: host, value: x}}]", r"headers in .*\.0\.insert\.name: the header 'host' belongs to one connection"),
        ("headers: [{insert: {name: 'a b', value: x}}]", "'a b' is not the name of a header"),
        ('headers: [{insert: {name: a, value: "b\\nc: d"}}]', "one line of ASCII"),
        ("headers: [{propagate: {matching: '('}}]", "is not a regular expression"),
        ("headers: [{propagate: {matching: a, named: b}}]", "expected exactly one of named, matching"),
        ("headers: [{propagate: {matching: a, rename: b}}]", "rename and default go with named"),
        ("headers: [{insert: {name: a, value: b}, remove: {named: c}}]", "expected exactly one of propagate, insert, remove"),
        ("headers: [{}]", "expected exactly one of propagate, insert, remove"),
        ("contract: {include: [a], omit: [b]}", r"contract in .*\.omit"),
    ],
)
def test_config_when_it_has_a_fault_then_said_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(_file(tmp_path, text), environ={})


def test_config_when_there_is_no_such_file_then_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read: No such file"):
        load_settings(tmp_path / "none.yaml", environ={})


def test_setting_when_it_holds_a_secret_then_printed_nowhere() -> None:
    url = "postgresql://city:hunter2@db/city"

    settings = load_settings(environ={"DATABASE_URL": url})

    assert settings.store_url == url
    assert "hunter2" not in repr(settings)
    with pytest.raises(ConfigError) as refused:
        load_settings(environ={"KEYCLOAK_URL": "ldap://admin:hunter2@id"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("field", ["port", "subgraphs"])
def test_settings_when_read_then_frozen(field: str) -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(Settings(), field, 1)


@pytest.mark.parametrize(
    ("environ", "issuer"),
    [
        ({}, None),
        ({"KEYCLOAK_URL": "https://id.example/"}, "https://id.example/realms/data4circ"),
        ({"KEYCLOAK_URL": "https://id.example", "KEYCLOAK_REALM": "city"}, "https://id.example/realms/city"),
        ({"KEYCLOAK_URL": "https://id.example", "CITYGRAPH_ISSUER": "https://other.example"}, "https://other.example"),
    ],
)
def test_issuer_when_keycloak_or_another_is_configured_then_its_url(environ: dict[str, str], issuer: str | None) -> None:
    assert load_settings(environ=environ).issuer_url == issuer


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("city.example", False),
    ],
)
def test_loopback_when_only_this_machine_reaches_it_then_true(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
