"""What runs first in the .pyz: refuses a wrong Python, finds or unpacks the packages, hands over to the program."""

# This file must parse on every Python since 2.7, so that a wrong one gets a sentence instead of a SyntaxError.
import os
import sys

try:
    from _bootstrap import target
except ImportError:  # read from the source tree, not from a built file
    target = None


def refusal():
    """The sentence that refuses this Python, or None."""
    have = "%d.%d.%d" % sys.version_info[:3]
    came = "this is Python %s (%s)" % (have, sys.executable or "unknown path")
    if sys.version_info < (3, 11):
        return "AloneChat needs Python 3.11 or newer; %s. Install a newer one and start this file with it." % came
    if target is not None and target.PYTHON is not None and sys.version_info[:2] != target.PYTHON:
        wanted = "%d.%d" % target.PYTHON
        return "This native build needs Python %s; %s. Take alonechat.pyz, which runs on all." % (wanted, came)
    if target is not None and target.PLATFORM is not None:
        import sysconfig

        platform = sysconfig.get_platform()
        if platform != target.PLATFORM:
            came = "this machine is %s" % platform
            return "This native build is for %s; %s. Take alonechat.pyz, which runs on all." % (target.PLATFORM, came)
    return None


def load(library):
    """Load what holds the compiled modules. Where the system refuses (a cache directory that nothing may be executed
    from, an older C library), their sources are taken, which lie beside them."""
    import importlib

    from _bootstrap import sources

    try:
        importlib.import_module(library)
    except ImportError:
        sources.without_compiled(os.path.join(sys.path[0], "alonechat"))


def bootstrap():
    """What `__main__` of the .pyz calls."""
    sentence = refusal()
    if sentence is not None:
        sys.stderr.write(sentence + "\n")
        sys.exit(2)
    from _bootstrap import sources, unpack

    archive = os.path.abspath(sys.path[0])
    try:
        sys.path[0] = unpack.find_or_unpack(archive, target.BUILD)
        sources.keep(sys.path[0])
        if target.LIBRARY is not None:
            load(target.LIBRARY)
        from alonechat.cli import main
    except ImportError as error:
        came = "AloneChat's unpacked copy in %s is not whole (%s)" % (os.path.dirname(sys.path[0]), error)
        sys.stderr.write(came + ". Delete that folder, and start again.\n")
        sys.exit(2)
    except KeyboardInterrupt:  # Ctrl-C while the program is still being read
        sys.exit(130)
    sys.exit(main())
