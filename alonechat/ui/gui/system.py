"""What the desktop is set to: dark or light, motion or none."""

from __future__ import annotations

import shutil
import subprocess
import sys

SECONDS = 2


def _said(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def dark() -> bool:
    """Whether the system's theme is dark; False where it does not say."""
    if sys.platform in ("darwin", "win32"):
        import darkdetect

        return bool(darkdetect.isDark())
    if "dark" in _said("gsettings", "get", "org.gnome.desktop.interface", "color-scheme"):
        return True
    return "dark" in _said("gsettings", "get", "org.gnome.desktop.interface", "gtk-theme").lower()


def still() -> bool:
    """Whether the system asks for no motion."""
    if sys.platform == "win32":
        import ctypes

        shown = ctypes.c_int(1)
        ctypes.windll.user32.SystemParametersInfoW(0x1042, 0, ctypes.byref(shown), 0)  # SPI_GETCLIENTAREAANIMATION
        return not shown.value
    if sys.platform == "darwin":
        return _said("defaults", "read", "com.apple.universalaccess", "reduceMotion").strip() == "1"
    return "false" in _said("gsettings", "get", "org.gnome.desktop.interface", "enable-animations")
