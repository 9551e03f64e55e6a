"""Writes Singer messages to stdout as whole lines, and ends the run if a signal comes or the target stops reading."""

from __future__ import annotations

import errno
import functools
import os
import select
import signal
import socket
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecWriter, enc_hook
from singer_sdk.singerlib import RecordMessage, StateMessage
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from singer_sdk.singerlib.encoding.simple import Message

_BUFFER = 64 * 1024
# A stopped tap must end within five seconds, even if the target does not read.
_GRACE = 3.0
_LAST_WORDS = 0.5
_POLLRDHUP: int = getattr(select, "POLLRDHUP", 0)


class SignalError(SystemExit):
    """SIGTERM or SIGINT ends the run. It is not an `Exception`, because the SDK would log one as an error.

    Attributes:
        name: The signal's name.
    """

    def __init__(self, signum: int) -> None:
        """Initialize the error.

        Args:
            signum: The signal.
        """
        super().__init__(128 + signum)
        self.name = signal.Signals(signum).name


class OutputLostError(SystemExit):
    """Nothing more can be written to stdout. It is not an `Exception`, as above.

    Attributes:
        reason: Why, in words for the user.
    """

    def __init__(self, error: OSError) -> None:
        """Initialize the error.

        Args:
            error: What writing raised.
        """
        super().__init__(1)
        gone = error.errno == errno.EPIPE
        self.reason = "the target closed its end of the pipe" if gone else os.strerror(error.errno or 0).lower()


class Interruption:
    """Handles SIGTERM and SIGINT. During a run they take effect between two messages, so that no line is torn.

    Attributes:
        signum: The first signal that came; None if none came.
        is_deferred: Whether a signal waits for the next message. If not, it ends the process at once.
        on_grace_over: Is called before the process ends because the target did not read in time.
    """

    def __init__(self) -> None:
        """Initialize the handler."""
        self.signum: int | None = None
        self.is_deferred = False
        self.on_grace_over: Callable[[], None] = lambda: None

    @property
    def exit_code(self) -> int:
        """The exit code for the signal."""
        return 128 + (self.signum or 0)

    def handle(self, signum: int, _frame: FrameType | None = None) -> None:
        """Handle a signal."""
        if not self.is_deferred:
            raise SystemExit(128 + signum)
        if self.signum is None:
            self.signum = signum
            signal.signal(signal.SIGALRM, self._end)
            signal.setitimer(signal.ITIMER_REAL, _GRACE)

    def check(self) -> None:
        """End the run if there was a signal.

        Raises:
            SignalError: If there was one.
        """
        if self.signum is not None:
            raise SignalError(self.signum)

    def _end(self, _signum: int, _frame: FrameType | None) -> None:
        # The log may be blocked too, so the alarm is set again before anything is logged.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(self.exit_code))
        signal.setitimer(signal.ITIMER_REAL, _LAST_WORDS)
        try:
            self.on_grace_over()
        finally:
            os._exit(self.exit_code)


class RecordLine(msgspec.Struct, tag_field="type", tag="RECORD"):
    """A RECORD message, like the SDK's `RecordMessage`, in a form that msgspec encodes several times faster.

    Attributes:
        stream: The stream's name.
        record: The record.
        time_extracted: When the record was extracted, in ISO 8601.
    """

    stream: str
    record: dict[str, Any]
    time_extracted: str


class Output(MsgSpecWriter):
    """Writes Singer messages. Numbers keep every digit.

    Attributes:
        writes_state: Whether STATE messages are written. A connection test writes none.
        lacks_state: Whether a SCHEMA has been written, or a look-up finished, since the last STATE.
    """

    def __init__(self, interruption: Interruption) -> None:
        """Initialize the writer.

        Args:
            interruption: Is checked before each message.
        """
        super().__init__()
        self._interruption = interruption
        self.writes_state = True
        self.lacks_state = False
        self._encoder = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")
        self._buffer = bytearray()
        self._finished = 0  # the bytes of the buffer that belong to finished look-ups

    def _append(self, message: Mapping[str, Any]) -> None:
        self._encoder.encode_into(message, self._buffer, -1)
        self._buffer += b"\n"

    @override
    def write_message(self, message: Message | RecordLine) -> None:
        """Buffer a record. Write any other message at once, together with the records before it.

        Args:
            message: The message.

        Raises:
            OutputLostError: If it cannot be written.
        """
        self._interruption.check()
        if isinstance(message, RecordLine):  # almost all messages
            self._encoder.encode_into(message, self._buffer, -1)
            self._buffer += b"\n"
            if len(self._buffer) >= _BUFFER:
                self.flush()
        elif self.writes_state or not isinstance(message, StateMessage):
            self._append(message.to_dict())
            self.lacks_state = not isinstance(message, StateMessage)
            if not isinstance(message, RecordMessage):
                self.flush()

    def finish_look_up(self) -> None:
        """Note that all records so far belong to finished look-ups, so that an interrupted run writes them too."""
        self._finished = len(self._buffer)
        self.lacks_state = True

    def write_last_state(self, state: Mapping[str, Any]) -> None:
        """Write the STATE that ends an interrupted run, without the records of the look-up that it cuts short.

        Args:
            state: The tap's state.
        """
        del self._buffer[self._finished :]
        if self.writes_state:
            self._append(StateMessage(value=state).to_dict())
        self.flush()

    def flush(self) -> None:
        """Write all buffered lines.

        Raises:
            OutputLostError: If they cannot be written.
        """
        lines, self._buffer, self._finished = memoryview(self._buffer), bytearray(), 0
        try:
            while lines:
                # An unbuffered stdout (PYTHONUNBUFFERED) may write only a part, after a signal or on a full disk.
                written: int | None = sys.stdout.buffer.write(lines)
                if written is None:
                    raise BlockingIOError(errno.EAGAIN, "")
                lines = lines[written:]
            sys.stdout.buffer.flush()
        except OSError as error:
            self._discard_stdout(error)

    def check_reader(self) -> None:
        """Find out, without writing, whether the target still reads.

        Raises:
            OutputLostError: If it closed its end.
        """
        with suppress(OSError, ValueError):
            poll = select.poll()
            poll.register(sys.stdout.fileno(), _closed_events(sys.stdout.fileno()))
            # Linux reports a closed pipe as POLLERR, other systems as POLLHUP, which a socket has on all of them.
            closed = select.POLLERR | select.POLLHUP | select.POLLNVAL | _POLLRDHUP
            if any(event & closed for _, event in poll.poll(0)):
                self._discard_stdout(BrokenPipeError(errno.EPIPE, ""))

    @staticmethod
    def _discard_stdout(error: OSError) -> NoReturn:
        # At exit Python would try to write the rest of its own buffer, and fail.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLostError(error) from None


@functools.cache
def _closed_events(descriptor: int) -> int:
    """Return what `poll` has to be asked for, to see that the other end of stdout is closed."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return 0
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        # TCP has no other sign. On a Unix socket it may only mean that the other end does not write.
        return 0 if connection.family == socket.AF_UNIX else _POLLRDHUP
