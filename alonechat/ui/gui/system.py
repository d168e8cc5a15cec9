"""What the desktop is set to: dark or light, motion or none; how it opens a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from alonechat.core.client.words import _

SECONDS = 2
NAME = "AloneChat"
"""What Windows knows this program by."""
HIDDEN = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""A flag for what is started: no console of its own on Windows, where this may run without one."""


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


def settle() -> None:
    """Before the first window: tell Windows who draws, and how. It leaves the scale to us, that of the main screen;
    else it stretches what is drawn, blurred, on most laptops. And this is AloneChat, not Python: in the taskbar, and
    for toasts, which since Windows 10 of 2017 are shown only of programs that it knows."""
    if sys.platform == "win32":
        import ctypes
        import winreg

        ctypes.windll.shcore.SetProcessDpiAwareness(1)  # says no where the program that starts us has chosen
        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(NAME)
        with suppress(OSError):  # whoever administers the machine may forbid it
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"Software\Classes\AppUserModelId\{NAME}") as key:
                winreg.SetValueEx(key, "DisplayName", 0, winreg.REG_SZ, NAME)


def title_bar(window: int, dark: bool) -> None:
    """Have Windows draw a window's title bar dark or light; where it can't (before Windows 10) it stays as it is."""
    if sys.platform == "win32":
        import ctypes

        shown = ctypes.c_int(dark)
        for attribute in (20, 19):  # DWMWA_USE_IMMERSIVE_DARK_MODE, and its number until Windows 10 of 2020
            if not ctypes.windll.dwmapi.DwmSetWindowAttribute(window, attribute, ctypes.byref(shown), 4):
                break


def show(path: Path) -> str:
    """Have the system's own program for it open a file; a sentence where there is none."""
    if sys.platform == "win32":
        try:
            os.startfile(path)
        except OSError as error:
            return _("can't open {name}: {reason}").format(name=path.name, reason=error.strerror or error)
        return ""
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        return _("This system has no xdg-open; install xdg-utils, or save the file and open it yourself.")
    process = subprocess.Popen(
        [opener, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=process.wait, name="alonechat-open", daemon=True).start()
    return ""
