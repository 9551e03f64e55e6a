"""The settings: each in every form it may come in, and every wrong one refused by name."""

from __future__ import annotations

import base64
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Reply, Sandbox
from tap_gong_privacy import settings
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.tap import TapGongPrivacy
from tests.running import check_output, run_tap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADDRESS = "canary.Person+tag@example.com"
CANARY = "cAnArY-value"
KEY_PAIR = {"access_key": "key", "access_key_secret": "pair-secret"}
TOKEN = {"access_token": "token-secret"}
DEFAULTS = {
    "api_url": "https://api.gong.io",
    "email_addresses_column": "email_address",
    "requests_per_second": 3,
    "max_concurrency": 8,
    "request_timeout": 120,
    "max_retries": 5,
    "max_retry_wait": 300,
    "fail_on_rejected_address": True,
    "fail_on_malformed_address": True,
    "days_between_rounds": 0,
}
CREDENTIALS = ["access_key", "access_key_secret", "access_token"]
TEXTS = ["email_addresses_file", "email_addresses_column", "flattening_separator"]
STRINGS = [*CREDENTIALS, "api_url", *TEXTS]
SWITCHED_OFF = ["emit_activate_version_messages", "batch_config"]
OBJECTS = ["stream_maps", "stream_map_config", "faker_config"]


def known() -> dict[str, Any]:
    """Return the schema of all settings, the SDK's own among them."""
    schema = copy.deepcopy(settings.DECLARED)
    TapGongPrivacy.append_builtin_config(schema)
    return schema


SCHEMA = known()


def short(value: object) -> str:
    """Return a parameter's name: strings and numbers of the same looks differ in it."""
    return ascii(value)[:60]


def loaded(**raw: object) -> dict[str, Any]:
    """Return the config for the SDK that comes of settings given by name, without its credentials."""
    config, _ = settings.load({**TOKEN, **raw}, SCHEMA, {})
    return {name: value for name, value in config.items() if name not in CREDENTIALS}


def checked(**raw: object) -> settings.Settings:
    """Return the tap's own settings that come of settings given by name."""
    return settings.load(raw, SCHEMA, {})[1]


def shape(**raw: object) -> str:
    """Return the shape of the output that settings given by name make."""
    return settings.shape(loaded(**raw))


def from_environment(**variables: str) -> dict[str, Any]:
    """Return the config that comes of variables given by the name of their setting."""
    environment = {f"TAP_GONG_PRIVACY_{name.upper()}": text for name, text in {**TOKEN, **variables}.items()}
    return settings.load({}, SCHEMA, environment)[0]


def refusal(**raw: object) -> str:
    """Return the one line with which settings are refused."""
    with pytest.raises(ConfigError) as caught:
        checked(**{**TOKEN, **raw})
    assert caught.value.__cause__ is None
    assert "\n" not in caught.value.message
    assert CANARY not in caught.value.message
    return caught.value.message


def assert_refused(config: Mapping[str, object], name: str, **env: str) -> str:
    """Check that the command refuses a config with one log record that names the setting, and return stderr."""
    arguments = ["--config=ENV"] if env else []
    result = run_tap(config, *arguments, env=env)
    check_output(result, secrets=[CANARY])
    assert result.returncode == 1
    assert not result.stdout
    errors = [line for line in result.stderr.splitlines() if "| ERROR " in line]
    assert len(errors) == 1
    assert name in errors[0]
    assert result.stderr.splitlines()[-1] == errors[0]
    return result.stderr


def test_unset_settings_have_the_documented_defaults() -> None:
    """What is left out has its default, and what has none is absent."""
    assert loaded() == DEFAULTS


@pytest.mark.parametrize("name", [*sorted(SCHEMA["properties"]), *SWITCHED_OFF, "misspelt"], ids=short)
@pytest.mark.parametrize("empty", [None, ""], ids=short)
def test_null_and_empty_text_count_as_not_set(name: str, empty: str | None) -> None:
    """Null and empty text leave each setting at its default, and do no harm where any value would be refused."""
    credentials = KEY_PAIR if name == "access_token" else TOKEN
    assert loaded(**{"access_token": None, **credentials, name: empty}) == DEFAULTS


@pytest.mark.parametrize(
    "given,addresses",
    [({}, None), ({"email_addresses": None}, None), ({"email_addresses": ""}, None), ({"email_addresses": []}, [])],
    ids=short,
)
def test_an_empty_list_differs_from_no_list(given: dict[str, object], addresses: list[object] | None) -> None:
    """A list that is given and empty means that there is nothing to ask; without a list there must be a file."""
    assert checked(**TOKEN, **given).email_addresses == addresses
    assert ("email_addresses" in loaded(**given)) == (addresses is not None)


def test_an_empty_list_in_the_environment_differs_from_no_list() -> None:
    """`[]` in the variable is a list; an empty variable is none."""
    assert from_environment(email_addresses="[]")["email_addresses"] == []
    assert "email_addresses" not in from_environment(email_addresses="")


@pytest.mark.parametrize(
    "name,text,value",
    [
        ("email_addresses", '["a@b.de", "c@d.de"]', ["a@b.de", "c@d.de"]),
        ("email_addresses", " [] ", []),
        ("requests_per_second", "0.5", 0.5),
        ("requests_per_second", "2", 2),
        ("requests_per_second", "1e1", 10),
        ("max_concurrency", "4", 4),
        ("max_concurrency", " 4.0 ", 4),
        ("request_timeout", "1.25", 1.25),
        ("max_retries", "0", 0),
        ("max_retry_wait", "0", 0),
        ("max_retry_wait", "0.75", 0.75),
        ("max_requests_per_run", "17", 17),
        ("fail_on_rejected_address", "true", True),
        ("fail_on_rejected_address", "True", True),
        ("fail_on_rejected_address", "false", False),
        ("fail_on_rejected_address", "FALSE", False),
        ("fail_on_rejected_address", " off ", False),
        ("fail_on_malformed_address", "No", False),
        ("fail_on_malformed_address", "1", True),
        ("days_between_rounds", "30", 30),
        ("days_between_rounds", "0", 0),
        ("days_between_rounds", "0.5", 0.5),
        ("stream_maps", '{"emails": {"from": null}}', {"emails": {"from": None}}),
        ("stream_map_config", '{"x": 1}', {"x": 1}),
        ("faker_config", '{"seed": 1}', {"seed": 1}),
        ("flattening_max_depth", "2", 2),
        ("flattening_max_key_length", "63", 63),
        ("flattening_enabled", "false", False),
    ],
    ids=short,
)
def test_text_is_taken_as_what_it_says(name: str, text: str, value: object) -> None:
    """A number, boolean, array or object that comes as text has its own type."""
    result = loaded(**{name: text})[name]
    assert result == value
    assert type(result) is type(value) or isinstance(result, float)


@pytest.mark.parametrize("name", TEXTS, ids=short)
def test_text_settings_stay_text(name: str) -> None:
    """Text that looks like a number or an object stays the text that it is."""
    assert loaded(**{name: "7"})[name] == "7"
    assert loaded(**{name: "{}"})[name] == "{}"


@pytest.mark.parametrize(
    "name,value,expected",
    [
        *((name, 5, "text") for name in STRINGS),
        *((name, [CANARY], "text") for name in STRINGS),
        *((name, CANARY, "an object") for name in OBJECTS),
        *((name, "[]", "an object") for name in OBJECTS),
        *((name, "null", "an object") for name in OBJECTS),
        *((name, '{"a": {}, "a": {}}', "an object") for name in OBJECTS),
        *((name, [CANARY], "an object") for name in OBJECTS),
        ("email_addresses", CANARY, "a list"),
        ("email_addresses", "a@b.de", "a list"),
        ("email_addresses", "a@b.de,c@d.de", "a list"),
        ("email_addresses", '{"a": 1}', "a list"),
        ("email_addresses", "[" * 100_000, "a list"),
        ("email_addresses", {"a": CANARY}, "a list"),
        ("requests_per_second", 0, "a number above 0"),
        ("requests_per_second", "0", "a number above 0"),
        ("requests_per_second", -1, "a number above 0"),
        ("requests_per_second", True, "a number above 0"),
        ("requests_per_second", CANARY, "a number above 0"),
        ("requests_per_second", "NaN", "a number above 0"),
        ("requests_per_second", "sNaN", "a number above 0"),
        ("requests_per_second", "Infinity", "a number above 0"),
        ("requests_per_second", 10**400, "a number above 0"),
        ("requests_per_second", [3], "a number above 0"),
        ("max_concurrency", 0, "a whole number, at least 1"),
        ("max_concurrency", "1.5", "a whole number, at least 1"),
        ("max_concurrency", 1.5, "a whole number, at least 1"),
        ("max_concurrency", False, "a whole number, at least 1"),
        ("request_timeout", 0, "a number above 0"),
        ("request_timeout", "-0.1", "a number above 0"),
        ("max_retries", -1, "a whole number, at least 0"),
        ("max_retries", "2.5", "a whole number, at least 0"),
        ("max_retry_wait", -0.5, "a number, at least 0"),
        ("max_retry_wait", "x", "a number, at least 0"),
        ("max_requests_per_run", 0, "a whole number, at least 1"),
        ("max_requests_per_run", "none", "a whole number, at least 1"),
        ("max_requests_per_run", " ", "a whole number, at least 1"),
        ("fail_on_rejected_address", CANARY, "true or false"),
        ("fail_on_rejected_address", 1, "true or false"),
        ("fail_on_rejected_address", 2, "true or false"),
        ("fail_on_rejected_address", "ture", "true or false"),
        ("fail_on_rejected_address", "null", "true or false"),
        ("fail_on_rejected_address", " ", "true or false"),
        ("fail_on_malformed_address", CANARY, "true or false"),
        ("days_between_rounds", -1, "a number, at least 0"),
        ("days_between_rounds", "monthly", "a number, at least 0"),
        ("fail_on_rejected_address", "2", "true or false"),
        ("flattening_enabled", CANARY, "true or false"),
        ("flattening_max_depth", "x", "a whole number"),
        ("flattening_max_key_length", 0.5, "a whole number"),
    ],
    ids=short,
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object, expected: str) -> None:
    """The line names the setting and what it has to be, and never shows the value."""
    assert f"{name} must be {expected}" in refusal(**{name: value})


@pytest.mark.parametrize(
    "given",
    [
        {"api_url": "https://API.gong.io:443/"},
        {"stream_maps": {}},
        {"stream_maps": {"emails": {}, "calls": {}}},
        {"stream_map_config": {"salt": "x"}},
        {"faker_config": {"seed": 1}},
        {"stream_maps": "{}", "stream_map_config": {"salt": "x"}, "faker_config": {}},
        {"flattening_enabled": False},
        {"flattening_enabled": "false", "flattening_max_depth": 3, "flattening_separator": "-"},
        {"flattening_max_depth": 3, "flattening_max_key_length": 20},
        {"email_addresses": ["a@b.de"], "max_retries": 9, "requests_per_second": 1, "days_between_rounds": 30},
        {"fail_on_rejected_address": False, "fail_on_malformed_address": False, "email_addresses_file": "x"},
    ],
    ids=short,
)
def test_settings_that_change_nothing_have_no_part_in_the_shape(given: dict[str, object]) -> None:
    """A round goes on if only such settings change."""
    assert shape(**given) == shape()


def test_flattening_by_its_defaults_has_one_shape() -> None:
    """A default that is written out changes nothing."""
    flattened = {"flattening_enabled": True, "flattening_max_depth": 2}
    assert shape(**flattened, flattening_separator="__", flattening_max_key_length=255) == shape(**flattened)


def test_each_form_of_a_setting_has_one_shape() -> None:
    """Text from a variable and the value from a file are the same setting, in any order of its keys."""
    maps = {"emails": {"from": None, "mailbox": "x"}, "calls": None}
    assert shape(stream_maps=maps) == shape(stream_maps=json.dumps(dict(reversed(maps.items()))))
    assert shape(flattening_enabled="yes", flattening_max_depth="2.0") == shape(
        flattening_enabled=True, flattening_max_depth=2
    )


def test_settings_that_shape_the_output_each_have_a_shape_of_their_own() -> None:
    """None of these is taken for another: a round would mix two outputs."""
    maps: dict[str, object] = {"stream_maps": {"emails": {"from": None}}}
    flattened: dict[str, object] = {"flattening_enabled": True, "flattening_max_depth": 2}
    given: list[dict[str, object]] = [
        {},
        {"api_url": "https://us-1.api.gong.io"},
        {"api_url": "https://api.gong.io/path"},
        {"api_url": "https://api.gong.io/PATH"},
        {"api_url": "https://api.gong.io:8443"},
        maps,
        {"stream_maps": {"emails": {"from": ""}}},
        {"stream_maps": {"emails": None}},
        {"stream_maps": {"emails": {}, "__else__": None}},
        {**maps, "stream_map_config": {"salt": "x"}},
        {**maps, "stream_map_config": {"salt": "y"}},
        {**maps, "faker_config": {"seed": 1}},
        flattened,
        {**flattened, "flattening_max_depth": 3},
        {**flattened, "flattening_separator": "-"},
        {**flattened, "flattening_max_key_length": 30},
        {**flattened, **maps},
    ]
    shapes = [shape(**settings_) for settings_ in given]
    assert len(set(shapes)) == len(given)


@pytest.mark.parametrize(
    "name,value",
    [
        ("stream_maps", {"emails": 5}),
        ("stream_maps", {"emails": {"from": [CANARY]}}),
        ("stream_maps", {"__else__": 5}),
        ("stream_maps", {"emails": {"__else__": CANARY}}),
        ("stream_maps", {"emails": {"__filter__": {"a": CANARY}}}),
        ("faker_config", {"locale": {"a": CANARY}}),
        ("faker_config", {"seed": [CANARY]}),
    ],
    ids=short,
)
def test_a_setting_of_the_sdk_has_the_shape_that_the_sdk_documents(name: str, value: object) -> None:
    """The line names the setting, in place of the SDK's message, which would quote the value."""
    assert f"{name} is not of the documented shape" in refusal(**{name: value})


@pytest.mark.parametrize(
    "name,value",
    [
        ("stream_maps", {"emails": {"x": f"{CANARY}\ud800"}}),
        ("stream_map_config", {"\udfff": CANARY}),
        ("flattening_separator", "\ud800"),
    ],
    ids=short,
)
def test_text_that_no_output_can_hold_is_refused(name: str, value: object) -> None:
    """Half of a surrogate pair in a name or a value would end the run at its first message."""
    assert f"{name} holds an invalid character" in refusal(**{name: value})


def test_entries_of_the_list_are_left_to_those_who_read_it() -> None:
    """A wrong entry is named by its place later, so that all of them are named at once."""
    entries = [5, None, "", {"a": 1}, "a@b.de"]
    assert checked(**TOKEN, email_addresses=entries).email_addresses == entries


def test_a_variable_goes_before_a_file() -> None:
    """A variable overrides the file, unless it is empty."""
    raw = {**TOKEN, "max_retries": 7, "max_concurrency": 2}
    environment = {"TAP_GONG_PRIVACY_MAX_RETRIES": "8", "TAP_GONG_PRIVACY_MAX_CONCURRENCY": ""}
    own = settings.load(raw, SCHEMA, environment)[1]
    assert (own.max_retries, own.max_concurrency) == (8, 2)


def test_all_wrong_settings_are_named_at_once() -> None:
    """Several wrong settings are one line, so that one run shows them all."""
    message = refusal(max_retries=-1, request_timeout=CANARY, misspelt=CANARY)
    assert all(name in message for name in ("max_retries", "request_timeout", "misspelt"))


def test_an_unknown_setting_is_refused_with_the_name_that_was_meant() -> None:
    """A misspelt setting does not pass in silence."""
    message = refusal(email_adresses_file=CANARY)
    assert "email_adresses_file is unknown" in message
    assert "email_addresses_file" in message


@pytest.mark.parametrize("name", ["person@example.com", "a" * 65, "with space", "new\nline"], ids=short)
def test_the_name_of_an_unknown_setting_is_shown_only_where_it_can_be_no_address(name: str) -> None:
    """A name that could be an address, or breaks the line, is not repeated."""
    message = refusal(**{name: 1})
    assert "unknown setting" in message
    assert name not in message


@pytest.mark.parametrize("value", [False, "false", "False", 0, "0"], ids=short)
def test_activate_version_may_be_switched_off(value: object) -> None:
    """A value that switches ACTIVATE_VERSION off is accepted, and does not become a setting."""
    assert loaded(emit_activate_version_messages=value) == DEFAULTS


@pytest.mark.parametrize("value", [True, "true", 1, CANARY, [], {}], ids=short)
def test_activate_version_is_refused(value: object) -> None:
    """Anything else than false is a config error: a target would delete rows."""
    assert "emit_activate_version_messages must be false" in refusal(emit_activate_version_messages=value)


@pytest.mark.parametrize("value", [{}, {"encoding": {"format": CANARY}}, "{}", False], ids=short)
def test_batches_are_refused(value: object) -> None:
    """Any batch_config is a config error."""
    assert "batch_config must be left out" in refusal(batch_config=value)


@pytest.mark.parametrize(
    "text,url",
    [
        ("https://api.gong.io", "https://api.gong.io"),
        ("https://us-12345.api.gong.io/", "https://us-12345.api.gong.io"),
        ("  https://us-12345.api.gong.io//  ", "https://us-12345.api.gong.io"),
        ("https://proxy.example.com:8443/gong/", "https://proxy.example.com:8443/gong"),
        ("HTTPS://API.gong.io", "https://api.gong.io"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("https://api.gong.io:443", "https://api.gong.io"),
        ("https://api.gong.io:", "https://api.gong.io"),
        ("https://api.gong.io:80", "https://api.gong.io:80"),
        ("http://localhost:80/", "http://localhost"),
        ("https://proxy.example.com/Gong/", "https://proxy.example.com/Gong"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://LOCALHOST", "http://localhost"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
    ids=short,
)
def test_api_url_may_be_any_https_url_or_http_on_loopback(text: str, url: str) -> None:
    """Spellings of one base URL are one: without trailing slash and default port, scheme and host in lower case."""
    assert checked(**TOKEN, api_url=text).api_url == loaded(api_url=text)["api_url"] == url


@pytest.mark.parametrize(
    "text",
    [
        "http://api.gong.io",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "api.gong.io",
        "//api.gong.io",
        "https://",
        "https:///path",
        f"https://user:{CANARY}@api.gong.io",
        "https://@api.gong.io",
        f"https://api.gong.io?key={CANARY}",
        "https://api.gong.io?",
        f"https://api.gong.io#{CANARY}",
        "https://api.gong.io#",
        "https://api.gong.io\\@evil.example.com",
        "https://api.gong.io:99999",
        "https://api.gong.io:port",
        "https://api .gong.io",
        "https://api\n.gong.io",
        "https://api.gong.io/\x00",
        "https://a..example.com",
        "https://.example.com",
        f"https://{'a' * 64}.example.com",
        "https://*.example.com",
        "https://[::1",
        "https://api.gong.io/\ud800",
        "   ",
    ],
    ids=short,
)
def test_api_url_is_refused_where_credentials_or_addresses_could_leak(text: str) -> None:
    """No clear text beyond loopback, no user, query or fragment, and a host that can be one."""
    assert "api_url must be" in refusal(api_url=text)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"access_key": CANARY},
        {"access_key_secret": CANARY},
        {**KEY_PAIR, **TOKEN},
        {"access_key": CANARY, **TOKEN},
        {"access_key_secret": CANARY, **TOKEN},
        {**KEY_PAIR, "access_key": "  "},
        {"access_token": " \t "},
    ],
    ids=short,
)
def test_exactly_one_way_of_credentials_is_needed(given: dict[str, str]) -> None:
    """Neither way, half of the key pair, or both ways are refused."""
    with pytest.raises(ConfigError, match="access_key and access_key_secret, or access_token") as caught:
        checked(**given)
    assert CANARY not in caught.value.message


@pytest.mark.parametrize("name", ["access_key", "access_key_secret", "access_token"], ids=short)
@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85"], ids=short)
def test_a_control_character_in_a_credential_is_refused(name: str, control: str) -> None:
    """A credential that would break the header is refused by name."""
    message = refusal(**{name: f"{CANARY}{control}{CANARY}"})
    assert name in message
    assert "control character" in message


def test_credentials_are_trimmed() -> None:
    """White space around a credential, such as a file's last line break, is removed."""
    own = checked(access_key=" key\n", access_key_secret="\r\n secret ")
    assert (own.access_key, own.access_key_secret) == ("key", "secret")
    assert own.authorization == b"Basic " + base64.b64encode(b"key:secret")
    assert checked(access_token=" token\n").authorization == b"Bearer token"


@pytest.mark.parametrize(
    "odd", ["käse", "日本", 'it\'s "quoted" \\ here', "100%", "a:b", "\u2028", "\ud800", "snow☃"], ids=short
)
def test_credentials_may_hold_any_other_character(odd: str) -> None:
    """Text beyond Latin-1, quotes and even half of a surrogate pair make a header, never an exception."""
    encoded = odd.strip().encode("utf-8", "surrogatepass")
    if encoded:
        assert checked(access_token=odd).authorization == b"Bearer " + encoded
    pair = checked(access_key="k" + odd + "k", access_key_secret="s" + odd + "s")
    expected = f"k{odd}k:s{odd}s".encode("utf-8", "surrogatepass")
    assert pair.authorization == b"Basic " + base64.b64encode(expected)


def test_the_secrets_to_hide_are_those_of_the_way_that_is_used() -> None:
    """The secret, the token, and what Basic makes of the pair must never be shown."""
    assert checked(**TOKEN).secrets == ("token-secret",)
    assert checked(**KEY_PAIR).secrets == ("pair-secret", base64.b64encode(b"key:pair-secret").decode())


def test_only_known_names_are_read_of_the_environment() -> None:
    """A variable that is unknown, empty or in lower case is passed over."""
    environment = {
        "TAP_GONG_PRIVACY_ACCESS_TOKEN": "token-secret",
        "TAP_GONG_PRIVACY_MISSPELT": "1",
        "TAP_GONG_PRIVACY_LOGLEVEL": "DEBUG",
        "TAP_GONG_PRIVACY_ACCESS_KEY": "",
        "TAP_GONG_PRIVACY_MAX_RETRIES": "7",
        "tap_gong_privacy_api_url": "https://lower.example.com",
    }
    assert settings.load({}, SCHEMA, environment)[0] == {**DEFAULTS, **TOKEN, "max_retries": 7}


@pytest.mark.parametrize("name", [*sorted(SCHEMA["properties"].keys() - set(STRINGS)), *SWITCHED_OFF], ids=short)
def test_each_setting_is_read_of_the_environment(name: str) -> None:
    """Each known setting has its variable, those that are only refused among them."""
    with pytest.raises(ConfigError, match=f"{name} must be") as caught:
        from_environment(**{name: CANARY})
    assert CANARY not in caught.value.message


@pytest.mark.parametrize("name", TEXTS, ids=short)
def test_each_text_is_read_of_the_environment(name: str) -> None:
    """What a variable of text holds is the setting."""
    assert from_environment(**{name: "x"})[name] == "x"


def test_a_run_with_settings_from_only_the_environment(sandbox: Sandbox) -> None:
    """`--config=ENV` reads text of each kind, and the run uses it."""
    sandbox.answers = {"refused@example.com": Reply(400)}
    addresses = [ADDRESS, "refused@example.com"]
    env = {
        "API_URL": sandbox.url + "/",
        "ACCESS_TOKEN": sandbox.access_token,
        "ACCESS_KEY": "",
        "EMAIL_ADDRESSES": json.dumps(addresses),
        "REQUESTS_PER_SECOND": "500.5",
        "MAX_CONCURRENCY": "2",
        "REQUEST_TIMEOUT": "10",
        "MAX_RETRIES": "0",
        "MAX_RETRY_WAIT": "0",
        "FAIL_ON_REJECTED_ADDRESS": "false",
        "STREAM_MAPS": '{"emails": {"mailbox": null}}',
        "FLATTENING_ENABLED": "false",
        "MAX_REQUESTS_PER_RUN": "",
    }
    result = run_tap(None, "--config=ENV", env={f"TAP_GONG_PRIVACY_{name}": value for name, value in env.items()})
    check_output(result, addresses, [sandbox.access_token])
    assert result.returncode == 0
    assert [record["status"] for record in result.records["lookups"]] == ["found", "rejected"]
    assert "mailbox" not in result.schemas["emails"]["schema"]["properties"]
    assert "500.5 calls a second" in result.stderr
    assert [call.headers["authorization"] for call in sandbox.calls] == [f"Bearer {sandbox.access_token}"] * 2


def test_the_environment_goes_before_the_file(sandbox: Sandbox) -> None:
    """With a file and `--config=ENV` a variable that is set wins, and an empty one does not."""
    config = {**sandbox.config, "email_addresses": ["file@example.com"]}
    env = {"TAP_GONG_PRIVACY_EMAIL_ADDRESSES": json.dumps([ADDRESS]), "TAP_GONG_PRIVACY_API_URL": ""}
    result = run_tap(config, "--config=ENV", env=env)
    check_output(result, [ADDRESS])
    assert result.returncode == 0
    assert [call.address for call in sandbox.calls] == [ADDRESS]


def test_the_environment_is_not_read_unasked(sandbox: Sandbox) -> None:
    """Without `--config=ENV` no variable counts."""
    config = {**sandbox.config, "email_addresses": [ADDRESS]}
    result = run_tap(config, env={"TAP_GONG_PRIVACY_EMAIL_ADDRESSES": '["environment@example.com"]'})
    check_output(result)
    assert [call.address for call in sandbox.calls] == [ADDRESS]


def test_several_config_files_are_joined(sandbox: Sandbox, tmp_path: Path) -> None:
    """A later file adds to an earlier one, as in the SDK."""
    (tmp_path / "more.json").write_text(json.dumps({"email_addresses": [ADDRESS]}))
    result = run_tap(sandbox.config, "--config", str(tmp_path / "more.json"))
    check_output(result, [ADDRESS])
    assert [call.address for call in sandbox.calls] == [ADDRESS]


def test_text_of_a_config_file_is_taken_as_what_it_says(sandbox: Sandbox) -> None:
    """Meltano's config file may hold each kind as text, and null and empty text for what is not set."""
    config = {
        **sandbox.config,
        "access_token": None,
        "email_addresses": json.dumps([ADDRESS, "refused@example.com"]),
        "email_addresses_file": "",
        "requests_per_second": "1000",
        "max_concurrency": "1",
        "fail_on_rejected_address": "false",
        "emit_activate_version_messages": "false",
    }
    result = run_tap(config)
    check_output(result, [ADDRESS])
    assert result.returncode == 0
    assert [call.address for call in sandbox.calls] == [ADDRESS, "refused@example.com"]


@pytest.mark.parametrize("secret", ['pä\'ss "wörd" \\ ☃', "plain%40secret&x=1"], ids=short)
def test_odd_credentials_reach_gong_and_no_log(secret: str) -> None:
    """A secret beyond Latin-1, or with quotes, is sent in UTF-8 and is never shown."""
    with Sandbox(requests_per_second=0, access_key_secret=secret, access_token=secret + "t") as sandbox:
        for credentials in (
            {"access_key": sandbox.access_key, "access_key_secret": secret},
            {"access_token": secret + "t"},
        ):
            config = {"api_url": sandbox.url, **credentials, "email_addresses": [ADDRESS]}
            result = run_tap(config)
            check_output(result, [ADDRESS], [secret])
            assert result.returncode == 0
        assert [call.status for call in sandbox.calls] == [200, 200]


@pytest.mark.parametrize(
    "wrong,name",
    [
        ({"misspelt": CANARY}, "misspelt is unknown"),
        ({"max_retries": CANARY}, "max_retries must be a whole number"),
        ({"access_token": CANARY}, "access_key and access_key_secret, or access_token"),
        ({"access_key_secret": f"{CANARY}\n{CANARY}"}, "access_key_secret holds a control character"),
        ({"api_url": f"http://{CANARY}.example.com"}, "api_url must be"),
        ({"batch_config": {"encoding": CANARY}}, "batch_config must be left out"),
        ({"emit_activate_version_messages": CANARY}, "emit_activate_version_messages must be false"),
        ({"stream_maps": {"emails": {"x": "\ud800"}}}, "stream_maps holds an invalid character"),
        ({"stream_maps": {"emails": 5}}, "stream_maps is not of the documented shape"),
        ({"faker_config": {"locale": {"a": CANARY}}}, "faker_config is not of the documented shape"),
        ({"flattening_enabled": True}, "flattening_enabled needs flattening_max_depth"),
        ({"email_addresses": None}, "set email_addresses or email_addresses_file"),
    ],
    ids=short,
)
def test_the_command_refuses_wrong_settings_before_any_call(
    sandbox: Sandbox, wrong: dict[str, object], name: str
) -> None:
    """A wrong setting is one plain line on stderr and exit code 1, and nothing is asked."""
    assert_refused({**sandbox.config, "email_addresses": [ADDRESS], **wrong}, name)
    assert not sandbox.calls


@pytest.mark.parametrize(
    "variable,value,name",
    [
        ("MAX_CONCURRENCY", CANARY, "max_concurrency must be a whole number"),
        ("FAIL_ON_REJECTED_ADDRESS", CANARY, "fail_on_rejected_address must be true or false"),
        ("EMAIL_ADDRESSES", ADDRESS, "email_addresses must be a list"),
        ("STREAM_MAPS", CANARY, "stream_maps must be an object"),
        ("BATCH_CONFIG", "{}", "batch_config must be left out"),
        ("EMIT_ACTIVATE_VERSION_MESSAGES", "true", "emit_activate_version_messages must be false"),
    ],
    ids=short,
)
def test_the_command_refuses_wrong_variables(sandbox: Sandbox, variable: str, value: str, name: str) -> None:
    """A wrong variable is refused like a wrong setting of a file."""
    config = {**sandbox.config, "email_addresses": [ADDRESS]}
    stderr = assert_refused(config, name, **{f"TAP_GONG_PRIVACY_{variable}": value})
    assert value == "true" or value not in stderr
    assert not sandbox.calls


@pytest.mark.parametrize(
    "changed",
    [{}, {"stream_maps": {}, "flattening_enabled": False}, {"stream_map_config": {"salt": "x"}, "max_retries": 1}],
    ids=short,
)
def test_a_round_goes_on_if_the_settings_change_nothing(
    sandbox: Sandbox, tmp_path: Path, changed: dict[str, object]
) -> None:
    """Another spelling of `api_url`, or settings without effect, cause no address to be asked twice."""
    config = {**sandbox.config, "email_addresses": [ADDRESS, "b@example.com"]}
    first = run_tap({**config, "max_requests_per_run": 1})
    state = tmp_path / "state.json"
    state.write_text(json.dumps(first.states[-1]))
    second = run_tap({**config, "api_url": sandbox.url.upper() + "/", **changed}, "--state", str(state))
    check_output(second)
    assert second.returncode == 0, second.stderr
    assert [call.address for call in sandbox.calls] == [ADDRESS, "b@example.com"]


def test_extreme_numbers_are_only_numbers(sandbox: Sandbox) -> None:
    """Numbers beyond what sockets, clocks and threads take do not end the run."""
    config = {
        **sandbox.config,
        "email_addresses": [ADDRESS],
        "max_concurrency": 10**30,
        "requests_per_second": 1e-300,
        "request_timeout": 1e300,
        "max_retries": 10**30,
        "max_retry_wait": 1e300,
        "max_requests_per_run": 10**30,
    }
    result = run_tap(config)
    check_output(result)
    assert result.returncode == 0
    assert "1 addresses: 1 found, 0 not found, 0 rejected, 0 failed, 0 not asked" in result.stderr.splitlines()[-1]
