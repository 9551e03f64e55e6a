"""Errors that the user can correct."""

from __future__ import annotations

import click


class ConfigError(click.ClickException):
    """Something that the user gave cannot be used. The message says what to do, and never shows a value."""


class CommandLineError(ConfigError):
    """A file that an option names cannot be read."""

    exit_code = 2
