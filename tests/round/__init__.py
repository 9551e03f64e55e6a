"""Tests of `tap_gong_privacy.round`."""
