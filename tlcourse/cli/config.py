"""`tlcourse config` and `doctor`: profiles of clusters, how the app looks, and what works on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.errors import ExitCode, UnableError, UsageError

app = typer.Typer(help="The configuration file: profiles of clusters, and the app's theme.", no_args_is_help=True)
ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="Such as lumi; see: tlcourse config show")]


@app.command("path")
def path(json: Json = False, plain: Plain = False) -> None:
    """Where the configuration file is, or would be."""
    from tlcourse.paths import config_file

    file = config_file()
    if json:
        out.document({"schema": 1, "path": str(file), "exists": file.exists()})
    else:
        out.say(f"path: {file}\nexists: {'yes' if file.exists() else 'no'}" if plain else str(file))


@app.command("show")
def show(
    profile: Annotated[str | None, typer.Argument(metavar="[PROFILE]", help="One of them alone.")] = None,
    ready: Annotated[
        bool, typer.Option("--ready", help="The profiles that come with tlcourse, with comments.")
    ] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """The profiles that there are, and those to start from."""
    from tlcourse.cluster.profile import READY, find_profile, load_profiles, ready_profiles
    from tlcourse.paths import config_file

    if ready:
        if json:
            out.document({"schema": 1, "profiles": ready_profiles()})
        else:
            out.say(READY.read_text(encoding="utf-8").rstrip())
        return
    file, profiles = config_file(), load_profiles()
    chosen = {profile: find_profile(profile, profiles)} if profile else profiles
    if json:
        out.document({"schema": 1, "path": str(file), "profiles": chosen, "ready": list(ready_profiles())})
        return
    if not chosen and not plain:
        out.say(f"No profile yet. Ready to be taken over: {', '.join(ready_profiles())} (tlcourse config show --ready)")
        out.say("Take one over: tlcourse config set lumi account=PROJECT")
    for name, fields in chosen.items():
        out.say(f"profile: {name}" if plain else f"{name}:")
        for field in fields.__struct_fields__:
            value = getattr(fields, field)
            if value != getattr(type(fields)(), field):
                out.say(f"{name}.{field}: {value}" if plain else f"  {field}: {value}")


@app.command("set")
def set_(
    profile: ProfileName,
    values: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE…", help="Such as account=project_1 gpus=1 modules='[Python]'")
    ],
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Set fields of a profile. A new one that has the name of a ready one starts as that."""
    from tlcourse.cluster.profile import find_profile, parse_profiles, set_values
    from tlcourse.config import edit_config
    from tlcourse.paths import config_file

    pairs = {}
    for value in values:
        key, sign, rest = value.partition("=")
        if not sign or not key:
            raise UsageError(f"{value!r} is not KEY=VALUE.", remedy="tlcourse config set lumi account=project_1")
        pairs[key] = rest
    file = config_file()
    text = edit_config(lambda text: set_values(text, profile, pairs, file), file)
    if json:
        found = find_profile(profile, parse_profiles(text, file))
        out.document({"schema": 1, "path": str(file), "profile": profile, "settings": found})
    elif plain:
        for name, value in pairs.items():
            out.say(f"{profile}.{name}: {value}")
    else:
        out.say(f"{file}: {profile} has {', '.join(pairs)}. Test it: tlcourse config check {profile}")


@app.command("theme")
def theme(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Chosen from now on.")] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """The colours of the terminal app: which there are, and which are chosen."""
    from typing import get_args

    from tlcourse.config import ThemeName, edit_config, load_config, set_theme
    from tlcourse.paths import config_file

    file, known = config_file(), get_args(ThemeName)
    if name is not None:
        if name not in known:
            raise UsageError(f"There is no theme {name!r}.", remedy=f"tlcourse config theme {' or '.join(known)}")
        edit_config(lambda text: set_theme(text, name, file), file)
    chosen = name or load_config(file).theme or known[0]
    if json:
        out.document({"schema": 1, "path": str(file), "theme": chosen, "themes": known})
        return
    for one in known:
        mark = ("chosen: " if plain else "● ") if one == chosen else ("other: " if plain else "○ ")
        out.say(f"{mark}{one}")


@app.command("check")
def check(
    profile: ProfileName,
    seconds: Annotated[float, typer.Option("--seconds", min=10, help="Wait this long for the small job.")] = 600.0,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Test a profile: login, Slurm, work folder, Python and torch there, a small job, a sandbox there."""
    from tlcourse.cluster import check as checking
    from tlcourse.cluster.pool import shell_for
    from tlcourse.cluster.profile import find_profile

    found = find_profile(profile)
    shell = shell_for(found, profile)
    if sys.stdin.isatty() and not json:
        shell.log_in()  # a second factor or a password is asked for by ssh itself, here, once
    steps = []
    for step in checking.check(profile, found, shell, wait_s=seconds):
        steps.append(step)
        if json:
            continue
        mark = ("works:" if step.works else "fails:") if plain else ("✓ works" if step.works else "✗ fails")
        out.say(f"{mark} {step.name}: {step.detail}")
        if step.remedy and not step.works:
            out.say(f"{'fix:' if plain else '                Fix:'} {step.remedy}")
    # a missing sandbox keeps nobody from running their own code
    works = all(step.works for step in steps if step.name != "sandbox") and steps[-1].name == "sandbox"
    if json:
        out.document({"schema": 1, "profile": profile, "works": works, "steps": steps})
    if not works:
        raise typer.Exit(ExitCode.UNABLE)


@app.command("login")
def login(profile: ProfileName, json: Json = False, plain: Plain = False) -> None:
    """Log in once, with a second factor or a password if need be, and run no job: other commands use the connection."""
    from tlcourse.cluster.pool import shell_for
    from tlcourse.cluster.profile import find_profile
    from tlcourse.cluster.shell import PERSIST_S

    found = find_profile(profile)
    shell = shell_for(found, profile)
    if found.host is None:
        raise UsageError(
            f"{profile} needs no login: it is this machine.", remedy=f"tlcourse config set {profile} host=NAME"
        )
    if not shell.log_in():
        raise UnableError(
            f"The login on {shell.name} did not work.",
            cause="ssh said why, above.",
            remedy=f"try: ssh {shell.name}",
        )
    minutes = PERSIST_S // 60
    if json:
        out.document({"schema": 1, "profile": profile, "host": shell.name, "minutes": minutes})
    elif plain:
        out.say(f"host: {shell.name}\nminutes: {minutes}")
    else:
        out.say(f"Logged in on {shell.name}. The connection serves until {minutes} minutes after its last use.")


@app.command("clean")
def clean(profile: ProfileName, json: Json = False, plain: Plain = False) -> None:
    """Remove what tlcourse keeps on a cluster: data, code, environments, and folders of jobs that have ended."""
    from tlcourse.cluster.pool import shell_for
    from tlcourse.cluster.profile import find_profile
    from tlcourse.cluster.sbatch_errors import unreachable
    from tlcourse.cluster.shell import ConnectionLostError
    from tlcourse.cluster.staging import RemoteStore
    from tlcourse.cluster.submit import clusters_of

    found = find_profile(profile)
    shell = shell_for(found, profile)
    try:
        store = RemoteStore(shell, found.work)
        removed = store.clean(clusters_of(found))
    except ConnectionLostError as error:
        raise unreachable(shell, error) from None
    if json:
        document = {"files": removed.files, "mb": removed.mb, "kept": removed.kept}
        out.document({"schema": 1, "profile": profile, "folder": store.work, **document})
        return
    if plain:
        kept = "".join(f"\nkept: {name}" for name in removed.kept)
        out.say(f"folder: {store.work}\nfiles: {removed.files}\nmb: {removed.mb:.0f}{kept}")
        return
    out.say(f"{store.work} on {shell.name}: removed {removed.files} files, {removed.mb:.0f} MB.")
    if removed.kept:
        out.say(f"Kept for jobs that wait or run: {', '.join(removed.kept)}. When they have ended, give it again.")


def doctor(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """Say what works on this machine, and what would fix the rest; of a course, whether its packages are here."""
    from tlcourse.course.loader import load_course
    from tlcourse.presenting.machine import examine

    if not json:
        out.note("Trying what works here; this takes some seconds.")
    with out.waiting("Trying", quiet=json or plain):
        findings = examine(load_course(course))
    fit = all(finding.works for finding in findings if finding.needed)
    if json:
        out.document({"schema": 1, "fit": fit, "findings": findings})
    else:
        for finding in findings:
            mark = "✓ works  " if finding.works else "✗ lacks  " if finding.needed else "– without"
            if plain:
                mark = "works:" if finding.works else "lacks:" if finding.needed else "without:"
            out.say(f"{mark} {finding.name}: {finding.detail}")
            if finding.remedy and not finding.works:
                out.say(f"{'remedy:' if plain else '          Fix:'} {finding.remedy}")
    if not fit:
        raise typer.Exit(ExitCode.UNABLE)
