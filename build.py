"""Builds ./alonechat.pyz, and prepares a fresh machine for running and testing: see `python3 build.py --help`."""

# This file must parse on every Python since 2.7, so that a wrong one gets a sentence instead of a SyntaxError.
import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "build.py needs Python 3.11 or newer; this is Python %d.%d.%d (%s). Start it with a newer one, such as: "
        "python3.12 build.py\n" % (sys.version_info[0], sys.version_info[1], sys.version_info[2], sys.executable)
    )
    sys.exit(2)

from tools.bundle.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
