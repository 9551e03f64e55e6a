"""The tap: the SDK's surface, and what connects the settings, the list, the streams and the end of a run."""

from __future__ import annotations

import copy
import logging
import os
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_gong_privacy import privacy, settings
from tap_gong_privacy.errors import ConfigError
from tap_gong_privacy.gong.documented import SECTIONS
from tap_gong_privacy.gong.json_text import canonical
from tap_gong_privacy.round import checkpoint, ending
from tap_gong_privacy.round.addresses import AddressList, read_list
from tap_gong_privacy.round.checkpoint import Round
from tap_gong_privacy.round.progress import Calls
from tap_gong_privacy.round.run import Mode, Run, build
from tap_gong_privacy.singer import inputs, maps, schemas
from tap_gong_privacy.singer.output import Interruption, Output, OutputLostError, SignalError
from tap_gong_privacy.singer.streams import LookupsStream, SectionStream

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.singerlib import Catalog


_ENVIRONMENT = "ENV"


class TapGongPrivacy(Tap):
    """Singer tap for Gong's data-privacy endpoint: all references to an e-mail address, and proof of the search."""

    name = "tap-gong-privacy"
    package_name = "tap-gong-privacy"
    # A copy, because the SDK adds its own settings to it.
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
        """Initialize the tap. Check the settings and the addresses first, because the SDK would quote wrong ones.

        Args:
            config: Settings by name.
            catalog: A Singer catalog.
            state: A Singer state.
            parse_env_config: Whether to read settings from the environment too.
            validate_config: Whether settings are needed. They are not needed to discover streams.
            setup_mapper: Whether stream maps are set up.

        Raises:
            ConfigError: If a setting, an address or the catalog cannot be used.
        """
        self._interruption = Interruption()
        self._output = Output(self._interruption)
        self._run: Run | None = None
        self._mode = Mode.SYNC
        self._list = AddressList((), None)
        self._shape = ""
        cleaned: dict[str, Any] = {}
        if validate_config:
            self.append_builtin_config(self.config_jsonschema)
            environment = os.environ if parse_env_config else {}
            cleaned, own = settings.load({} if config is None else config, self.config_jsonschema, environment)
            self._settings = own
            privacy.hide(own.secrets)
            # Before the SDK has the settings, because its mapper takes `__else__` out of them.
            self._shape = settings.shape(cleaned)
            self._list = read_list(
                own.email_addresses,
                own.email_addresses_file,
                own.email_addresses_column,
                fail_on_malformed=own.fail_on_malformed_address,
            )
            # The SDK needs no addresses, and would quote an entry that is not text.
            cleaned.pop("email_addresses", None)
        super().__init__(
            config=cleaned,
            catalog=None if catalog is None else inputs.catalog_of(catalog),
            state=state,
            validate_config=validate_config,
            setup_mapper=setup_mapper,
            message_writer=self._output,
        )
        if catalog is not None and not any(stream.selected for stream in self.streams.values()):
            msg = "The catalog selects no stream, so no address would be asked: select at least one."
            raise ConfigError(msg)

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, with descriptions that Meltano can show."""
        super().append_builtin_config(config_jsonschema)
        settings.describe_builtin(config_jsonschema)

    @override
    def discover_streams(self) -> list[Stream]:
        """Return the streams, `lookups` first."""
        lookups = LookupsStream(self, self._start_run, self._check)
        return [lookups, *(SectionStream(self, section) for section in SECTIONS)]

    @override
    def setup_mapper(self) -> None:
        """Set up the stream maps.

        Raises:
            ConfigError: If they cannot be used, or would lose something.
        """
        columns = {name: stream.schema["properties"] for name, stream in self.streams.items()}
        maps.refuse_mistakes(self.config.get("stream_maps", {}), columns)
        maps.refuse_missing_values(self.config.get("stream_maps", {}), self.config.get("stream_map_config", {}))
        try:
            super().setup_mapper()
        except Exception as error:  # noqa: BLE001 - expressions can raise anything, and quote values
            msg = f"Wrong settings: stream_maps cannot be used ({type(error).__name__}); see the SDK's stream maps."
            raise ConfigError(msg) from None
        selected = {stream.name for stream in self.streams.values() if stream.selected}
        maps.refuse_losses(self.mapper.stream_maps, selected)
        maps.compute_exactly(chain.from_iterable(self.mapper.stream_maps.values()))

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Load the bookmark of a state. Ignore one that is invalid or belongs to another tap."""
        bookmarks = state.get("bookmarks")
        bookmark = bookmarks.get(schemas.LOOKUPS) if isinstance(bookmarks, dict) else None
        self.state["bookmarks"] = {schemas.LOOKUPS: checkpoint.readable(bookmark)}
        if (
            bookmark
            and not checkpoint.is_empty(bookmark)
            and checkpoint.is_empty(self.state["bookmarks"][schemas.LOOKUPS])
        ):
            self.logger.warning("The state is broken, of an earlier version or of another tap: starting over")

    def _start_run(self) -> Run:
        """Build the run when the SDK syncs `lookups`. A tap that only lists its streams has no settings for one."""
        self._run = build(self._settings, self._round(), self._mode)
        return self._run

    def _round(self) -> Round:
        is_test = self._mode is Mode.TEST
        bookmark = checkpoint.empty() if is_test else self.state["bookmarks"][schemas.LOOKUPS]
        days = self._settings.days_between_rounds
        return Round(self._list.entries, self._output_shape(), bookmark, days_between_rounds=days)

    def _output_shape(self) -> str:
        selected = {
            stream.name: sorted(stream.columns) if stream.selected else None
            for stream in self.streams.values()
            if isinstance(stream, LookupsStream | SectionStream)
        }
        return self._shape + canonical(selected).decode()

    def _check(self) -> None:
        """End the run if a signal has come, or if the target has stopped reading."""
        self._interruption.check()
        self._output.check_reader()

    def run(self, mode: Mode = Mode.SYNC) -> int:
        """Sync, or make the connection test, and say how it ended.

        Args:
            mode: What the run is for.

        Returns:
            The exit code.
        """
        self._mode = mode
        self._interruption.is_deferred = True
        self._interruption.on_grace_over = self._say_interrupted
        self._output.writes_state = mode is Mode.SYNC
        if self._list.warning:
            self.logger.warning("%s", self._list.warning)
        code: int | None = None
        result = ""
        try:
            if mode is Mode.TEST:
                self.run_connection_test()
            else:
                self.sync_all()
            self._output.flush()
        except SignalError as stop:
            code = int(stop.code or 1)
            self._say_signal(stop)
            self._interruption.on_grace_over = self._say_end
            self._write_last_state()
        except OutputLostError as lost:
            code = 1
            self.logger.error("Stopped: %s. The next run repeats the look-ups that were not written.", lost.reason)  # noqa: TRY400
        except Exception as error:  # noqa: BLE001 - the last resort: a traceback may quote an address
            code = 1
            if maps.is_fault_of_an_expression(error):
                message = "Stopped: an expression of stream_maps failed on a record; correct it."
            else:
                message = f"Stopped by an internal error, please report it: {privacy.describe(error)}"
            self.logger.error("%s", message)  # noqa: TRY400
            self._write_last_state()
        if code is None:
            code, result = self._result()
        self._say_end(code, result)
        return code

    def _write_last_state(self) -> None:
        if self._run:
            self.state["bookmarks"][schemas.LOOKUPS] = self._run.round.bookmark()
        try:
            self._output.write_last_state(self.state)
        except OutputLostError as lost:
            self.logger.error("The last state could not be written: %s.", lost.reason)  # noqa: TRY400

    def _result(self) -> tuple[int, str]:
        """Return the exit code of a run that ended by itself, and how a connection test ended."""
        run = self._run
        if run is None:
            return 0, ""
        if self._mode is Mode.SYNC:
            return ending.exit_code(run, accepts_rejected=not self._settings.fail_on_rejected_address), ""
        return ending.connection_result(run.first_outcome, run.stopped.message if run.stopped else None)

    def _say_signal(self, stop: SignalError) -> None:
        self.logger.error("Stopped by %s. The next run resumes where this one stopped.", stop.name)

    def _say_interrupted(self) -> None:
        """Log why the run ends if the signal came while a message was waiting for the target to read it."""
        if self._interruption.signum:
            self._say_signal(SignalError(self._interruption.signum))
        self._say_end()

    def _say_end(self, code: int = 1, result: str = "") -> None:
        # The closing line is logged even if the run ended before its first call.
        round_, calls = (self._run.round, self._run.calls) if self._run else (self._round(), Calls())
        accepts_rejected = not self._settings.fail_on_rejected_address
        places = ending.places_line(round_, accepts_rejected=accepts_rejected)
        if places and self._mode is Mode.SYNC:
            self.logger.warning("%s", places)
        line, counts = ending.closing_line(round_, calls)
        self.logger.log(ending.closing_level(code, self._run), "%s", line, extra=counts)
        if result:
            self.logger.log(logging.ERROR if code else logging.INFO, "%s", result)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK's constructor registers this method. The SDK's own would exit with 0, as if the run had succeeded.
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
            raise SystemExit(tap.run(Mode.TEST))
        super().cb_test(ctx, param, value)

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Read the config files."""
        config = super().cb_config(ctx, param, tuple(path for path in value if path == _ENVIRONMENT))
        # The constructor refuses anything but an object, unless it needs no settings, as when it discovers streams.
        config.config = cast("dict[str, Any]", inputs.read_config(path for path in value if path != _ENVIRONMENT))
        return config
