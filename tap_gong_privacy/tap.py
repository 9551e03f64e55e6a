"""The tap: settings, wiring, and how a run ends."""

from __future__ import annotations

import copy
import logging
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.tap_base import CliTestOptionValue
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from typing_extensions import override

from tap_gong_privacy import privacy, settings
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong.client import Client, Status
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.gong.json_text import canonical
from tap_gong_privacy.gong.pacing import Pacer
from tap_gong_privacy.gong.transport import Credentials
from tap_gong_privacy.round import checkpoint
from tap_gong_privacy.round.addresses import read_addresses
from tap_gong_privacy.round.checkpoint import Round
from tap_gong_privacy.round.run import Run
from tap_gong_privacy.singer import inputs, maps, schemas
from tap_gong_privacy.singer.output import Interruption, Output, OutputLostError, SignalError
from tap_gong_privacy.singer.streams import LookupsStream, SectionStream

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.singerlib import Catalog

_SHAPING = ("stream_maps", "stream_map_config", "faker_config")
_ENVIRONMENT = "ENV"
_NO_PAUSE = -1.0


class TapGongPrivacy(Tap):
    """Singer tap for Gong's data-privacy endpoint: all references to an e-mail address, and proof of the search."""

    name = "tap-gong-privacy"
    package_name = "tap-gong-privacy"
    # A copy: the SDK adds its own settings to it.
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(settings.DECLARED)
    # Neither BATCH nor ACTIVATE_VERSION: a target would delete the rows of every address that a run does not reach.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        catalog: dict[str, Any] | Catalog | None = None,
        state: dict[str, Any] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        setup_mapper: bool = True,
    ) -> None:
        """Initialize the tap; read and check the settings and the addresses, before the SDK could quote one.

        Args:
            config: Settings by name.
            catalog: A Singer catalog.
            state: A Singer state.
            parse_env_config: Whether settings are read from the environment, too.
            validate_config: Whether settings are needed at all; they are not to discover streams.
            setup_mapper: Whether stream maps are set up.

        Raises:
            ConfigError: If something that was given cannot be used.
        """
        self._interruption = Interruption()
        self._run: Run | None = None
        self._addresses: tuple[str, ...] = ()
        cleaned: dict[str, Any] = {}
        if validate_config:
            cleaned = self._cleaned({} if config is None else config, parse_env_config=parse_env_config)
            self._settings = settings.checked(cleaned)
            privacy.hide(self._settings.secrets)
            self._addresses = read_addresses(
                self._settings.email_addresses,
                self._settings.email_addresses_file,
                self._settings.email_addresses_column,
            )
        # Before the SDK has the settings, for its mapper takes `__else__` out of them.
        self._shape = canonical({name: value for name, value in cleaned.items() if self._is_shaping(name)}).decode()
        super().__init__(
            config=cleaned,
            catalog=None if catalog is None else inputs.catalog_of(catalog),
            state=state,
            validate_config=validate_config,
            setup_mapper=setup_mapper,
            message_writer=Output(self._interruption),
        )
        if catalog is not None and not any(stream.selected for stream in self.streams.values()):
            msg = "The catalog selects no stream, so no address would be asked: select at least one."
            raise ConfigError(msg)

    @staticmethod
    def _is_shaping(name: str) -> bool:
        return name == "api_url" or name in _SHAPING or name.startswith("flattening_")

    @classmethod
    def _cleaned(cls, config: object, *, parse_env_config: bool) -> dict[str, Any]:
        if not isinstance(config, dict):
            msg = "A config file must hold a JSON object of settings."
            raise ConfigError(msg)
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        environment = settings.from_environment(schema) if parse_env_config else {}
        cleaned = settings.clean({**config, **environment}, schema)
        if cleaned.get("flattening_enabled") and "flattening_max_depth" not in cleaned:
            msg = "Wrong settings: flattening_enabled needs flattening_max_depth, a whole number."
            raise ConfigError(msg)
        for name in filter(cls._is_shaping, cleaned):
            try:
                canonical(cleaned[name])
            except (UnicodeEncodeError, RecursionError):
                msg = f"Wrong settings: {name} holds half of a character (a lone surrogate), or is nested too deeply."
                raise ConfigError(msg) from None
        # read_addresses names each wrong entry.
        if wrong := _misshapen(cleaned, schema) - {"email_addresses"}:
            msg = f"Wrong settings: {min(wrong)} is not of the documented shape; see --about."
            raise ConfigError(msg)
        return cleaned

    @override
    def discover_streams(self) -> list[Stream]:
        """Return the streams, `lookups` first."""
        return [LookupsStream(self), *(SectionStream(self, section) for section in SECTIONS)]

    @override
    def setup_mapper(self) -> None:
        """Set up the stream maps.

        Raises:
            ConfigError: If they cannot be used, or would lose something.
        """
        maps.refuse_filters(self.config.get("stream_maps", {}))
        try:
            super().setup_mapper()
        except Exception as error:  # noqa: BLE001 - the mapper raises whatever its expressions raise, and quotes them
            msg = f"Wrong settings: stream_maps cannot be used ({type(error).__name__}); see the SDK's stream maps."
            raise ConfigError(msg) from None
        selected = {stream.name for stream in self.streams.values() if stream.selected}
        maps.refuse_losses(self.mapper.stream_maps, selected)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the bookmark from a state; one that is broken or foreign counts as none."""
        bookmarks = state.get("bookmarks")
        bookmark = bookmarks.get(schemas.LOOKUPS) if isinstance(bookmarks, dict) else None
        self.state["bookmarks"] = {schemas.LOOKUPS: checkpoint.readable(bookmark)}
        if (
            bookmark
            and not checkpoint.is_empty(bookmark)
            and checkpoint.is_empty(self.state["bookmarks"][schemas.LOOKUPS])
        ):
            self.logger.warning("The state is broken, or not of this tap: starting over.")

    def start_run(self, limit: int | None) -> Run:
        """Begin to ask.

        Args:
            limit: Addresses asked at most, one try each, without waiting for Gong; None for a real run.

        Returns:
            The run.
        """
        own = self._settings
        is_test = limit is not None
        max_wait = _NO_PAUSE if is_test else own.max_retry_wait
        pacer = Pacer(own.requests_per_second, max_wait, own.max_requests_per_run)
        client = Client(
            own.api_url,
            Credentials(own.authorization),
            pacer,
            request_timeout=own.request_timeout,
            max_retries=0 if is_test else own.max_retries,
            max_retry_wait=max_wait,
        )
        self._run = Run(
            self._round(is_test=is_test),
            client,
            pacer,
            max_concurrency=own.max_concurrency,
            requests_per_second=own.requests_per_second,
            limit=limit,
        )
        return self._run

    def _round(self, *, is_test: bool = False) -> Round:
        bookmark = checkpoint.empty() if is_test else self.state["bookmarks"][schemas.LOOKUPS]
        return Round(self._addresses, self._output_shape(), bookmark)

    def _output_shape(self) -> str:
        selected = {
            stream.name: sorted(stream.columns) if stream.selected else None
            for stream in self.streams.values()
            if isinstance(stream, LookupsStream | SectionStream)
        }
        return self._shape + canonical(selected).decode()

    def check(self) -> None:
        """End the run if a signal came, or nobody reads its output any more."""
        self._interruption.check()
        self._output.check_reader()

    @property
    def _output(self) -> Output:
        writer = self.message_writer
        assert isinstance(writer, Output)  # noqa: S101 - the constructor has set it
        return writer

    def run(self, *, is_test: bool = False) -> int:
        """Sync, or make the connection test, and say how it ended.

        Args:
            is_test: Whether this is `--test`.

        Returns:
            The exit code.
        """
        self._interruption.is_deferred = True
        self._interruption.on_grace_over = self._say_end
        self._output.writes_state = not is_test
        code: int | None = None
        try:
            if is_test:
                self.run_connection_test()
            else:
                self.sync_all()
            self._output.flush()
        except SignalError as stop:
            code = int(stop.code or 1)
            self._write_last_state()
        except OutputLostError as lost:
            code = 1
            self.logger.error("Stopped: %s. What was not written is asked again.", lost.reason)  # noqa: TRY400
        except Exception as error:  # noqa: BLE001 - the end of all: no traceback may quote an address
            code = 1
            if maps.is_fault_of_an_expression(error):
                message = "Stopped: an expression of stream_maps failed on a record; correct it."
            else:
                message = f"Stopped by an error of the tap's own, please report it: {privacy.describe(error)}"
            self.logger.error("%s", message)  # noqa: TRY400
        if code is None:
            code = self._exit_code(is_test=is_test)
        self._say_end(code)
        return code

    def _write_last_state(self) -> None:
        try:
            self._output.write_last_state(self.state)
        except OutputLostError as lost:
            self.logger.error("The last state could not be written: %s.", lost.reason)  # noqa: TRY400

    def _exit_code(self, *, is_test: bool) -> int:
        run = self._run
        if run is None:
            return 0
        if is_test:
            return int(run.first_status in {None, Status.FAILED})
        if run.has_spent_budget and not run.is_stopped_by_gong:
            return 0
        tallies = run.round.tallies
        is_complete = not run.round.not_asked and not tallies[Status.FAILED] and not run.is_stopped
        is_accepted = not (tallies[Status.REJECTED] and self._settings.fail_on_rejected_address)
        return int(not (is_complete and is_accepted))

    def _say_end(self, code: int = 1) -> None:
        # A run that ended before it began to ask has asked nobody: that is said, too.
        round_ = self._run.round if self._run else self._round()
        is_planned_stop = self._run is not None and self._run.has_spent_budget
        level = logging.ERROR if code else logging.WARNING if is_planned_stop else logging.INFO
        self.logger.log(level, "%s", round_.summary())

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK registers this in its constructor; its own ends with exit code 0, which says that all went well.
        self._interruption.handle(signum, frame)

    @override
    @classmethod
    def invoke(  # type: ignore[override]  # as the SDK's own tap has it
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the tap from the command line, and end with its exit code."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        tap = cls(
            config=config.config if config else None,
            state=inputs.read_state(state),
            catalog=inputs.read_catalog(catalog),
            parse_env_config=bool(config and config.parse_env),
        )
        raise SystemExit(tap.run())

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Make the connection test, and end with its exit code."""
        if value not in {option.value for option in CliTestOptionValue}:
            msg = "must be all, schema or disabled."
            raise click.BadParameter(msg, ctx, param)
        if value == CliTestOptionValue.All.value:
            config: _ConfigInput | None = ctx.params.get("config")
            tap = cls(config=config.config if config else None, parse_env_config=bool(config and config.parse_env))
            raise SystemExit(tap.run(is_test=True))
        super().cb_test(ctx, param, value)

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Read the config files."""
        config = super().cb_config(ctx, param, tuple(path for path in value if path == _ENVIRONMENT))
        # What is no object is judged by the constructor, where settings are needed: not to discover streams.
        config.config = cast("dict[str, Any]", inputs.read_config(path for path in value if path != _ENVIRONMENT))
        return config


def _misshapen(config: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the settings that do not fit the schema. The validator's own messages would quote their values."""
    try:
        errors = list(DEFAULT_JSONSCHEMA_VALIDATOR(schema).iter_errors(config))
    except AttributeError:
        # The SDK's schema of a map's `__else__` has a text in place of a schema, met where nothing before it fits.
        return {"stream_maps"}
    return {str(error.absolute_path[0]) if error.absolute_path else "The config" for error in errors}
