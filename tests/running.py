"""The installed command, run on its own, and the one check that every run's output has to pass."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, quote_plus

from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

Message: TypeAlias = dict[str, Any]

COMMAND = Path(sys.executable).with_name("tap-gong-privacy")
"""The command, as it is installed in the environment of the tests."""

SECRET_SETTINGS = ("access_key_secret", "access_token")

_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
_KINDS = {"RECORD", "SCHEMA", "STATE"}
_INTERRUPTED = {-9, 130, 143}
_OUTCOMES = {"found", "not_found", "rejected", "failed", "malformed"}
_STATE_KEYS = {"began", "completed", "salt", "output_digest", *_OUTCOMES, "owed"}
_LONGEST_INTEGER = 4300

FORMATS = FormatChecker(formats=())
"""The contract's times, which are stricter than `date-time`: UTC, with a `Z`, to the microsecond."""


@FORMATS.checks("date-time", raises=ValueError)
def _is_utc_time(value: object) -> bool:
    if not isinstance(value, str):
        return True  # its type is judged elsewhere
    return _UTC_TIME.fullmatch(value) is not None and datetime.fromisoformat(value).tzinfo is not None


@dataclass(frozen=True)
class Result:
    """What a run of the tap came to.

    Attributes:
        returncode: The exit code.
        stdout: The output as it is.
        stderr: The log.
        config: The config that it ran with.
    """

    returncode: int
    stdout: str
    stderr: str
    config: Mapping[str, object] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """The lines of the output that are whole."""
        return [line for line in self.stdout.split("\n")[:-1] if line]

    @cached_property
    def messages(self) -> list[Message]:
        """The Singer messages; numbers with a fraction are a `Decimal`, and so lose no digit."""
        return [_load(line) for line in self.lines]

    @property
    def schemas(self) -> dict[str, Message]:
        """The SCHEMA messages by stream, the last one where a stream has several."""
        return {message["stream"]: message for message in self.messages if message["type"] == "SCHEMA"}

    @cached_property
    def records(self) -> dict[str, list[Message]]:
        """The records by stream; each stream that has a SCHEMA is there."""
        messages = self.messages
        found: dict[str, list[Message]] = {message["stream"]: [] for message in messages if message["type"] == "SCHEMA"}
        for message in messages:
            if message["type"] == "RECORD":
                found.setdefault(message["stream"], []).append(message["record"])
        return found

    @property
    def states(self) -> list[Message]:
        """The values of the STATE messages, in order."""
        return [message["value"] for message in self.messages if message["type"] == "STATE"]


def run_tap(
    config: Mapping[str, object] | None,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    timeout: float = 240,
) -> Result:
    """Run the installed command to its end, and check that its log shows no address.

    Args:
        config: The config file's content; None passes no `--config`.
        arguments: Further arguments.
        env: Variables besides those of the tests, from which the tap's own and proxies are taken out.
        timeout: Seconds that it may take.

    Returns:
        The result.
    """
    with tempfile.TemporaryDirectory() as folder:
        options: list[str] = []
        if config is not None:
            path = Path(folder, "config.json")
            path.write_text(json.dumps(config))
            options = ["--config", str(path)]
        done = subprocess.run(
            [COMMAND, *options, *arguments],
            env=environment(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    log = done.stderr.decode()
    check_nobody_named(Result(done.returncode, "", log, config or {}))
    return Result(done.returncode, done.stdout.decode(), log, config or {})


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of the tests without what would set the tap up or lead it through a proxy.

    The log is that of DEBUG, whose lines are more than those of any other level: what no test finds there is nowhere.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TAP_GONG_PRIVACY_") and not name.lower().endswith("_proxy")
    }
    return {**kept, "TAP_GONG_PRIVACY_LOGLEVEL": "DEBUG", **(extra or {})}


def check_output(
    result: Result,
    addresses: Iterable[str] = (),
    secrets: Iterable[str] = (),
    *,
    reconcile: bool = True,
) -> None:
    """Check what every run owes: whole lines, valid records, sound keys, counts that add up, and nobody named.

    Args:
        result: The run. The addresses and secrets of its config are looked for in any case.
        addresses: Further addresses that must not be shown.
        secrets: Further texts that must not be shown.
        reconcile: Whether the counts of `lookups` must be those of the records: not where a stream map filters,
            renames or splits streams.
    """
    assert not result.stdout or result.stdout.endswith("\n"), "the last line is not whole"
    for message in result.messages:
        assert message["type"] in _KINDS
    check_schemas_and_records(result)
    _check_order(result)
    if reconcile:
        _check_counts(result)
    for state in result.states:
        check_state(state)
    check_nobody_named(result, addresses, secrets)


def check_schemas_and_records(result: Result) -> None:
    """Check that each stream has one SCHEMA, that its records validate, and that each key is whole and single."""
    validators: dict[str, Draft202012Validator] = {}
    keys: dict[str, list[str]] = {}
    properties: dict[str, AbstractSet[str]] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for message in result.messages:
        if message["type"] == "SCHEMA":
            stream = message["stream"]
            assert stream not in validators, f"a second SCHEMA of {stream}"
            Draft202012Validator.check_schema(message["schema"])
            validators[stream] = Draft202012Validator(message["schema"], format_checker=FORMATS)
            keys[stream] = message["key_properties"]
            properties[stream] = message["schema"]["properties"].keys()
        elif message["type"] == "RECORD":
            stream, record = message["stream"], message["record"]
            assert stream in validators, f"a record of {stream} before its SCHEMA"
            problems = [error.message for error in validators[stream].iter_errors(record)]
            assert not problems, problems
            assert record.keys() <= properties[stream], f"{stream} has a column that its SCHEMA has not"
            parts = [record[name] for name in keys[stream]]
            assert all(isinstance(part, str) and part for part in parts), f"an empty key of {stream}: {parts}"
            seen[stream, *parts] += 1
    twice = [key for key, count in seen.items() if count > 1]
    assert not twice, f"keys that stand twice: {twice[:3]}"


def _check_order(result: Result) -> None:
    """Check that an address's records are together, and that its `lookups` record follows them."""
    if "lookups" not in result.schemas:
        return
    current: str | None = None
    done: set[str] = set()
    for message in result.messages:
        if message["type"] != "RECORD" or "email_address" not in message["record"]:
            continue
        address = message["record"]["email_address"]
        assert address not in done, f"a record of {message['stream']} after its lookups record"
        assert current in {None, address}, "the records of two addresses are mixed"
        current = address
        if message["stream"] == "lookups":
            done.add(address)
            current = None
    assert current is None or result.returncode in _INTERRUPTED, "records without a lookups record"


def _check_counts(result: Result) -> None:
    """Check that each `lookups` record counts the records of its address that were written."""
    records = result.records
    written: Counter[tuple[str, str, str]] = Counter(
        (stream, record["email_address"], record["looked_up_at"])
        for stream, its_records in records.items()
        for record in its_records
        if {"email_address", "looked_up_at"} <= record.keys()
    )
    for lookup in records.get("lookups", []):
        is_answered = lookup.get("status", "found") in {"found", "not_found"}
        counts = {name.removesuffix("_count"): count for name, count in lookup.items() if name.endswith("_count")}
        for stream, count in counts.items():
            assert (count is not None) == is_answered, f"{stream}: {count} of a look-up that ended {lookup['status']}"
            if stream in records:
                present = written[stream, lookup["email_address"], lookup["looked_up_at"]]
                assert present == (count or 0), f"{present} records of {stream}, counted as {count}"
        assert lookup.get("status") != "not_found" or not any(counts.values())


def check_state(state: Message) -> None:
    """Check that a STATE is one bookmark of `lookups`, which always has the same keys, each with a text."""
    assert state.keys() == {"bookmarks"}
    assert state["bookmarks"].keys() == {"lookups"}
    bookmark = state["bookmarks"]["lookups"]
    assert bookmark.keys() == _STATE_KEYS
    for name, value in bookmark.items():
        assert type(value) is str, f"{name} is {value!r}"


def check_nobody_named(result: Result, addresses: Iterable[str] = (), secrets: Iterable[str] = ()) -> None:
    """Check that neither the log nor a STATE shows an address or a secret, in any spelling, nor a traceback."""
    shown = "\n".join([result.stderr, *(json.dumps(state, ensure_ascii=False) for state in result.states)]).lower()
    # Escaped or plain: both are looked for.
    shown += "\n".join(json.dumps(state) for state in result.states).lower()
    hidden = {*addresses, *_listed_addresses(result.config), *secrets, *_configured_secrets(result.config)}
    for text in hidden:
        for form in _forms(text):
            assert form not in shown, f"{text!r} is shown"
    assert "traceback (most recent call last)" not in shown


def _forms(text: str) -> set[str]:
    quoted = {quote(text, safe="", errors="replace"), quote(text, safe="@", errors="replace")}
    forms = {text, text.strip(), *quoted, quote_plus(text, errors="replace"), repr(text)[1:-1], ascii(text)[1:-1]}
    return {form.lower() for form in forms if form}


def _listed_addresses(config: Mapping[str, object]) -> set[str]:
    listed = config.get("email_addresses")
    if isinstance(listed, str):
        with suppress(ValueError):
            listed = json.loads(listed)
    return {entry for entry in listed if isinstance(entry, str) and "@" in entry} if isinstance(listed, list) else set()


def _configured_secrets(config: Mapping[str, object]) -> set[str]:
    secrets = {str(config[name]) for name in SECRET_SETTINGS if config.get(name)}
    if config.get("access_key") and config.get("access_key_secret"):
        pair = f"{config['access_key']}:{config['access_key_secret']}"
        secrets.add(base64.b64encode(pair.encode(errors="replace")).decode())
    return secrets


def _load(line: str) -> Message:
    message = json.loads(line, object_pairs_hook=_object, parse_float=Decimal, parse_int=_integer)
    assert isinstance(message, dict)
    return message


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    assert len(result) == len(pairs), "a JSON object names a key twice"
    return result


def _integer(digits: str) -> int | Decimal:
    return Decimal(digits) if len(digits) >= _LONGEST_INTEGER else int(digits)
