"""The same curves in R with package survival, where R is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analytics.bench.leaving import STILL_IN, LeavingRows
from analytics.bench.timing import LONG_SECONDS, RUNS, RUNS_OF_LONG_WORK, VERY_LONG_SECONDS

NO_PACKAGE: Final = 3  # exit code of the script below

# Reading the rows is not counted. The states of a multi-state curve need the censored first.
SCRIPT: Final = """
given <- commandArgs(trailingOnly = TRUE)
if (!requireNamespace("survival", quietly = TRUE)) quit(status = 3)
library(survival)
rows <- read.csv(given[1])
rows$group <- factor(rows$group)
rows$way <- factor(rows$way, levels = c(given[2], setdiff(sort(unique(rows$way)), given[2])))
curves <- function() survfit(Surv(day, left) ~ group, data = rows, conf.type = "log-log")
test <- function() survdiff(Surv(day, left) ~ group, data = rows)
ways <- function() survfit(Surv(day, way) ~ group, data = rows, conf.type = "log-log")
seconds_of <- function(work) {
  started <- as.numeric(Sys.time())
  work()
  as.numeric(Sys.time()) - started
}
median_of <- function(work) {
  warm_up <- seconds_of(work)
  if (warm_up >= as.numeric(given[8])) return(warm_up)
  runs <- if (warm_up < as.numeric(given[5])) as.integer(given[6]) else as.integer(given[7])
  median(replicate(runs, seconds_of(work)))
}
read <- summary(ways()[1, ], times = as.numeric(given[4]), extend = TRUE)
cat(sprintf(
  '{"survival_seconds": %.9f, "competing_seconds": %.9f, "chi_square": %.15g, "incidence": %.15g}\\n',
  median_of(function() { curves(); test() }), median_of(ways), test()$chisq, read$pstate[read$states == given[3]]
))
"""


@dataclass(frozen=True)
class RAnswer:
    """What R took, and what it found: the log-rank statistic, and the incidence of one way in the first group."""

    survival_seconds: float
    competing_seconds: float
    chi_square: float
    incidence: float


def run_r(rows: LeavingRows, scratch: Path, way: str, day: int) -> RAnswer | str:
    """Time R's curves on `rows`; return instead, in words, why there is no answer.

    Parameters
    ----------
    scratch : folder for the rows and the script. way, day : which incidence to read, of the first group.
    """
    program = shutil.which("Rscript")
    if program is None:
        return "R is not installed"
    script, data = scratch / "curves.R", scratch / "rows.csv"
    script.write_text(SCRIPT, encoding="utf-8")
    columns = zip(rows.group.tolist(), rows.day.tolist(), rows.left.tolist(), rows.way.tolist(), strict=True)
    with data.open("w", encoding="utf-8") as file:
        file.write("group,day,left,way\n")
        file.writelines(f"{group},{days:.0f},{left:.0f},{how}\n" for group, days, left, how in columns)
    runs = [str(LONG_SECONDS), str(RUNS), str(RUNS_OF_LONG_WORK), str(VERY_LONG_SECONDS)]
    ended = subprocess.run(
        [program, "--vanilla", str(script), str(data), STILL_IN, way, str(day), *runs],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == NO_PACKAGE:
        return "R has no package survival"
    if ended.returncode != 0:
        return f"R stopped: {' '.join(ended.stderr.split())[-120:]}"
    return RAnswer(**json.loads(ended.stdout))
