"""Python on the cluster: the one that the profile names, or an environment that is made from it once."""

from __future__ import annotations

import hashlib

from tlcourse.errors import InfraError
from tlcourse.execution.cluster.depot import Depot
from tlcourse.execution.cluster.profile import Profile
from tlcourse.execution.cluster.script import in_container, start_lines
from tlcourse.execution.cluster.shell import quoted

INSTALL_S = 3600.0

# One at a time; `ready` says that it is whole. A cut connection leaves it running, and whoever asks next waits for it.
_MAKE = """
trap '' HUP PIPE
cd {work}/env || exit 3
exec 9>{key}.lock
if command -v flock >/dev/null 2>&1; then flock 9 || exit 4; fi
[ -f {key}/ready ] && exit 0
rm -rf {key}
{{
{lines}
{make} && {install}
}} >{key}.log 2>&1 </dev/null || {{ tail -n 5 {key}.log >&2; exit 5; }}
touch {key}/ready
"""


def python_for(depot: Depot, profile: Profile) -> str:
    """The interpreter that jobs start; makes the environment where it is not there yet. Raises InfraError."""
    if profile.packages is None:
        return profile.python
    folder = f"{depot.work}/env/{environment_key(profile)}"
    if depot.shell.run(f"[ -f {quoted(folder)}/ready ]").code == 0:
        return f"{folder}/bin/python"
    done = depot.shell.run(_script(depot.work, profile), timeout=INSTALL_S)
    if done.code != 0:
        last = (done.err.strip().splitlines() or [f"exit status {done.code}"])[-1][:300]
        raise InfraError(
            f"The Python environment on {depot.shell.name} could not be made: {last}",
            cause="`python` of the profile has no venv or pip, or the login node reaches no package index.",
            remedy="name a Python that has torch (the profile's `python`, without `packages`), or load a module first.",
        )
    return f"{folder}/bin/python"


def environment_key(profile: Profile) -> str:
    """Another list, Python, module or image means another environment."""
    container = profile.container.image if profile.container else ""
    parts = [profile.python, container, *profile.modules, *profile.pip_options, "|", *(profile.packages or [])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _script(work: str, profile: Profile) -> str:
    key = environment_key(profile)
    packages = profile.packages or []
    install = [f"{work}/env/{key}/bin/python", "-m", "pip", "install", "--quiet", *profile.pip_options, *packages]
    make = [profile.python, "-m", "venv", *(() if packages else ("--without-pip",)), f"{work}/env/{key}"]
    return _MAKE.format(
        work=quoted(work),
        key=key,
        lines="\n".join(line for line in start_lines(profile, "") if not line.startswith("export PYTHONPATH")),
        make=in_container(profile, make, (work,)),
        install=in_container(profile, install, (work,)) if packages else "true",
    )
