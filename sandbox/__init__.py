"""A stand-in for Gong on loopback, for trying the tap, for tests and for benchmarks. See `sandbox.server`."""

from sandbox.server import (
    EXAMPLE_ADDRESS,
    EXAMPLE_ANSWER,
    PATH,
    QUOTA_RETRY_AFTER,
    Call,
    Fault,
    Reply,
    Sandbox,
    documented_answer,
)

__all__ = [
    "EXAMPLE_ADDRESS",
    "EXAMPLE_ANSWER",
    "PATH",
    "QUOTA_RETRY_AFTER",
    "Call",
    "Fault",
    "Reply",
    "Sandbox",
    "documented_answer",
]
