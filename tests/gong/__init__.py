"""Tests of `tap_gong_privacy.gong`."""
