"""Errors that the user can mend."""

from __future__ import annotations

import click


class ConfigError(click.ClickException):
    """Something that the user gave cannot be used. The message says what to do, and never shows a value."""


class CommandLineError(ConfigError):
    """A file given by option is not there."""

    exit_code = 2
