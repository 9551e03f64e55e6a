"""A stand-in for Gong on loopback, for trying the tap, for tests and for benchmarks. See `sandbox.server`."""

from sandbox.answers import EXAMPLE_ADDRESS, EXAMPLE_ANSWER, documented_answer, request_id
from sandbox.replies import Fault, Reply
from sandbox.server import ERASE_PATH, PATH, QUOTA_RETRY_AFTER, Call, Sandbox

__all__ = [
    "ERASE_PATH",
    "EXAMPLE_ADDRESS",
    "EXAMPLE_ANSWER",
    "PATH",
    "QUOTA_RETRY_AFTER",
    "Call",
    "Fault",
    "Reply",
    "Sandbox",
    "documented_answer",
    "request_id",
]
