"""Install what is missing and open the dashboard, or run every check.

    python run.py                  installs into .venv, builds demo data if there is none, opens the dashboard
    python run.py test [--long]    installs the tools too, runs format, lint, types, layers and tests

Only the standard library is used, and no syntax newer than Python 3.6, so that an old Python can still say
that it is too old. The project itself is not installed: every command starts in this folder, where Python
finds `analytics`, so that nothing but the hash-locked packages comes from an index.
"""

import argparse
import errno
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"
UNFINISHED = "unfinished"  # what the stamp says while pip works; a killed pip leaves halves of packages
RUN_LOCK = "requirements-run.lock"  # what a clinic needs
FULL_LOCK = "requirements.lock"  # the same versions, and the tools of the checks
OLDEST_PYTHON = (3, 11)
SPACE_TO_INSTALL = {RUN_LOCK: 1.2e9, FULL_LOCK: 1.8e9}  # bytes: packages, and wheels while they are unpacked
SPACE_FOR_DEMO = 0.5e9  # bytes
PIP_LINES_SHOWN = 12


class Stop(Exception):
    """One sentence for the person at the screen; ends the run with exit code 2."""


def main(arguments):
    try:
        check_python()
        if arguments[:1] == ["test"]:
            return test(*parse_test(arguments[1:]))
        return start(parse_start(arguments))
    except Stop as stop:
        return complain(str(stop))
    except KeyboardInterrupt:
        return 130
    except PermissionError as error:
        return complain(
            f"No permission to write {error.filename or ROOT}: change the owner of the folder, or copy the "
            "project to a folder of your own."
        )
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return complain(f"{error.filename or ROOT}: {error.strerror}. Mend that and start again.")
        return complain("The disk is full: make room and start again; what was half done is done again.")


def complain(sentence):
    print("run.py: " + sentence, file=sys.stderr, flush=True)
    return 2


def check_python():
    if sys.version_info < OLDEST_PYTHON:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST_PYTHON))
        raise Stop(
            f"Python {needed} or later is needed and this is {found}: install a newer one and start run.py "
            f"with it, for example `python{needed} run.py`."
        )


def parse_start(arguments):
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Open the dashboard on 127.0.0.1. `run.py test [--long]` runs every check instead.",
    )
    parser.add_argument("--port", type=port, default=8501, help="port of the dashboard (8501)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--store", help="folder of the snapshots (IOP_STORE, else data/local)")
    add_wheels(parser)
    return parser.parse_args(arguments)


def parse_test(arguments):
    parser = argparse.ArgumentParser(
        prog="run.py test",
        description="Run format, lint, types, layers and tests. Other arguments are handed to pytest.",
        allow_abbrev=False,
    )
    parser.add_argument("--long", action="store_true", help="also run the tests marked long")
    add_wheels(parser)
    return parser.parse_known_args(arguments)


def add_wheels(parser):
    parser.add_argument("--wheels", type=folder, help="install from this folder of wheels, without any index")


def port(text):
    # Lower ports need an administrator, and nobody should run the dashboard as one.
    if not (text.isdigit() and 1024 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 1024 to 65535")
    return int(text)


def folder(text):
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"there is no folder {text}; name the one that holds the wheels")
    return os.path.abspath(text)


def start(options):
    # Imported only now: an old Python cannot read the package. Both modules use the standard library only.
    from analytics.doctor import port_is_free
    from analytics.settings import store_folder

    if not port_is_free(options.port):
        raise Stop(
            f"Port {options.port} is taken, perhaps by a dashboard that is already open at "
            f"http://127.0.0.1:{options.port}: use that one, or choose another port with --port."
        )
    store = store_folder(options.store)
    python = install([RUN_LOCK, FULL_LOCK], options.wheels)
    if not (store / "CURRENT").is_file():
        store.mkdir(parents=True, exist_ok=True)
        check_space(store, SPACE_FOR_DEMO, "the demo data")
        say(f"Building the demo data in {store} ...")
        code = call([python, "-m", "analytics", "demo", "--store", store])
        if code:
            raise Stop(f"The demo data could not be built (exit code {code}); the reason stands above.")
    command = [python, "-m", "streamlit", "run", "app.py"]
    command += ["--server.address", "127.0.0.1", "--server.port", options.port]
    if options.no_browser:
        command += ["--server.headless", "true"]
    return become(command, IOP_STORE=str(store))


def test(options, more):
    python = install([FULL_LOCK], options.wheels)
    checks = [
        ("ruff format", ["-m", "ruff", "format", "--check", "."]),
        ("ruff check", ["-m", "ruff", "check", "."]),
        ("mypy", ["-m", "mypy"]),
        # The installed script would break when the folder is moved.
        ("lint-imports", ["-c", "from importlinter.cli import lint_imports_command as c; c()"]),
    ]
    failed = []
    for name, command in checks:
        say("== " + name)
        if call([python, *command]):
            failed.append(name)
    say("== pytest" + (" (failed before it: {})".format(", ".join(failed)) if failed else ""))
    # Three processes, each file in one of them: where there are two processors, one of three waits for a disk or a
    # page. `-n 0` among the arguments goes back to one.
    command = [python, "-m", "pytest", "-n", "3", "--dist", "loadfile"]
    if options.long:
        # Counting the lines that were reached costs a fifth of the time.
        command += ["--cov", "--cov-report=term", "--long"]
    if call(command + more):
        failed.append("pytest")
    return 1 if failed else 0


def install(locks, wheels):
    """Python of .venv, after making it hold the first of `locks` if it holds none of them.

    `.venv` belongs to this script: it is made anew when an installation was interrupted, or when its Python
    does not start, has no pip, or has another version.
    """
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    found = STAMP.read_text() if STAMP.is_file() else ""
    if python.exists() and found in [stamp(lock) for lock in locks]:
        return python
    check_space(ROOT, SPACE_TO_INSTALL[locks[0]], "the packages")
    if not os.access(str(ROOT), os.W_OK):
        raise PermissionError(errno.EACCES, "not writable", str(ROOT))
    if found == UNFINISHED or not works(python):
        make_venv()
    STAMP.write_text(UNFINISHED)
    say("Installing the packages into .venv (once; a few minutes on a slow line) ...")
    pip = [python, "-m", "pip", "install", "--quiet", "--progress-bar", "off", "--disable-pip-version-check"]
    if wheels:
        pip += ["--no-index", "--find-links", wheels]
    code, output = capture([*pip, "--require-hashes", "-r", ROOT / locks[0]])
    if code:
        raise Stop(pip_failed(output, locks[0], wheels))
    STAMP.write_text(stamp(locks[0]))
    return python


def stamp(lock):
    """Equal for two installations that serve alike: same lock, same project file, same Python version."""
    version = "{}.{}".format(*sys.version_info[:2])
    contents = [(ROOT / name).read_bytes() for name in (lock, "pyproject.toml")]
    return hashlib.sha256(b"\0".join([lock.encode(), version.encode(), *contents])).hexdigest()


def works(python):
    """Whether .venv is whole: its Python starts, has pip, and has the version that runs this script."""
    if not python.exists():
        return False
    try:
        code, output = capture([python, "-c", "import sys, pip; print(*sys.version_info[:2])"])
    except OSError:
        return False
    return code == 0 and output.split() == [str(part) for part in sys.version_info[:2]]


def make_venv():
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Stop(
            "This Python cannot make virtual environments: on Debian and Ubuntu run `sudo apt install "
            "python3-venv`, elsewhere install Python from its own installer; then start again."
        )
    if VENV.exists():
        shutil.rmtree(str(VENV))
    code, output = capture([sys.executable, "-m", "venv", VENV])
    if code:
        raise Stop(f"The virtual environment {VENV} could not be made:\n{last_lines(output)}")


def pip_failed(output, lock, wheels):
    if "No space left on device" in output:
        return (
            "The disk filled up while the packages were installed: make room, also where temporary files go "
            "(TMPDIR), and start again."
        )
    if wheels:
        advice = f"Put a wheel of every package that {lock} names into {wheels}."
    else:
        advice = "Check the network; behind a proxy set HTTPS_PROXY; without a network use --wheels FOLDER."
    return f"pip could not install the packages; its last lines:\n{last_lines(output)}\n{advice}"


def last_lines(output):
    return "\n".join("    " + line for line in output.strip().splitlines()[-PIP_LINES_SHOWN:])


def check_space(place, needed, purpose):
    from analytics.doctor import free_bytes

    free = free_bytes(place)
    if free < needed:
        raise Stop(
            f"The disk of {place} has {free / 1e9:.1f} GB free and {purpose} may need {needed / 1e9:.1f} GB: "
            "make room and start again."
        )


def say(line):
    print(line, flush=True)


def environment(**more):
    """Variables of a child: those of this process, but for the two that would lead it out of .venv."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return dict(kept, PYTHONUTF8="1", **more)


def capture(command):
    """Exit code and all output of a quiet command."""
    pipes = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return finish(subprocess.Popen(words(command), cwd=str(ROOT), env=environment(), **pipes))


def call(command, **variables):
    """Exit code of a command that writes to this terminal."""
    return finish(subprocess.Popen(words(command), cwd=str(ROOT), env=environment(**variables)))[0]


def words(command):
    return [str(part) for part in command]


def finish(child):
    """Exit code and output of `child`. When this script is told to end, the child may clean up first."""
    try:
        output = child.communicate()[0]
    except BaseException as end:
        if not isinstance(end, KeyboardInterrupt):  # Ctrl-C in a terminal reached the child already
            child.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        try:
            child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    return child.returncode, (output or b"").decode("utf-8", "replace")


def told_to_end(number, frame):
    raise SystemExit(128 + number)


def become(command, **variables):
    """Run `command` in place of this process, so that a signal to one is a signal to the other."""
    if os.name == "nt":  # exec on Windows starts a new process and lets go of the terminal
        return call(command, **variables)
    os.chdir(str(ROOT))
    os.execve(str(command[0]), words(command), environment(**variables))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, told_to_end)
    sys.exit(main(sys.argv[1:]))
