"""The command line as a whole: what it does with its output."""

import subprocess
import sys

from analytics.settings import PROJECT_ROOT


def test_output_that_nobody_reads_to_the_end_is_no_full_disk() -> None:
    command = [sys.executable, "-m", "analytics", "measure", "--all", "--format", "sql"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None and started.stderr is not None
        assert started.stdout.readline().startswith(b"-- ")
        started.stdout.close()
        assert started.stderr.read() == b""
    assert started.returncode == 1
