"""How many processor cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")


def available_cores() -> int:
    """Return the number of cores that this process may use, 1 or more.

    Those of the machine, less what the process is kept off (`taskset`, a batch system) and what
    a container may not use of their time (a quota of Linux control groups, either version).
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = quota_of(_GROUPS, _MOUNTED)
    return max(cores if quota is None else min(cores, math.ceil(quota)), 1)


def quota_of(groups: Path, mounted: Path) -> float | None:
    """Return how many cores' time control groups allow, None without a limit.

    Parameters
    ----------
    groups : Path
        The file that lists the groups of the process.
    mounted : Path
        Where the file systems of control groups are.
    """
    try:
        lines = groups.read_text("utf-8").splitlines()
    except OSError:  # no Linux
        return None
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = mounted / controllers if controllers else mounted
        # Inside a container the group may be mounted as the root, under another path.
        group = root / path.strip("/")
        for folder in (group, *group.parents):
            limit = _quota_in(folder)
            if limit is not None:
                limits.append(limit)
            if folder == root:
                break
    return min(limits, default=None)


def _quota_in(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text("utf-8").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text("utf-8").strip()
            period = (folder / "cpu.cfs_period_us").read_text("utf-8").strip()
    except OSError:  # the controller is not in use there
        return None
    return None if quota in ("max", "-1") else int(quota) / int(period)
