"""Sizes of windows, and what opens one."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

DESKTOP, PHONE = (1280, 900), (390, 844)

Open = Callable[..., Page]
