"""The recipes of images: held to rules, linted where a linter is installed, and their steps made in a bare Debian."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTAINERFILE, DEFINITION, INSTALL = (
    ROOT / "images" / name for name in ("Containerfile", "tlcourse.def", "install.sh")
)
APT = ["apt-get", "indextargets", "--format", "$(SITE)", "Codename: bookworm"]
"""Asks this machine where its own Debian comes from."""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Name and rest of each instruction, in order; comments are dropped, and lines that continue are joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    for one in joined.splitlines():
        if one.strip():
            name, _, rest = one.strip().partition(" ")
            yield name, rest.strip()


def sections(text: str) -> dict[str, list[str]]:
    """Apptainer's sections, each with its lines; "" is the header."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for one in text.splitlines():
        if one.startswith("%"):
            current = one[1:].strip()
            assert current not in found, f"%{current} twice"
            found[current] = []
        elif one.strip() and not one.startswith("#"):
            found[current].append(one.strip())
    return found


def test_the_image_is_pinned_small_and_not_roots():
    steps = list(instructions(CONTAINERFILE.read_text()))
    known = {"ARG", "FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps} <= known  # no ADD, which fetches; no deprecated ones
    arguments = dict(rest.split("=", 1) for name, rest in steps if name == "ARG")
    assert re.fullmatch(r"[a-z]+:[\w.-]+", arguments["BASE"])
    assert not arguments["BASE"].endswith(("latest", "stable"))
    assert re.fullmatch(r"[\d.]+", arguments["UV"])
    assert {name for name in arguments if re.search("SECRET|TOKEN|KEY|PASS", name)} == set()
    final = steps[[number for number, (name, _) in enumerate(steps) if name == "FROM"][-1] :]
    (user,) = [rest for name, rest in final if name == "USER"]
    assert user.isdecimal()
    assert user != "0"
    assert [name for name, _ in final][-4:] == ["USER", "WORKDIR", "ENTRYPOINT", "CMD"]
    assert all(rest.startswith("/") for name, rest in final if name == "WORKDIR")
    assert all(rest.startswith("[") for name, rest in final if name in ("ENTRYPOINT", "CMD"))
    for name, rest in steps:
        if name == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest and "rm -rf /var/lib/apt/lists/*" in rest
        if name == "RUN" and "pip" in rest:
            assert "--no-cache" in rest
        if name == "COPY" and not rest.startswith("--from"):
            assert all((ROOT / source).exists() for source in rest.split()[:-1])


def test_no_source_of_a_reference_is_in_a_layer_of_the_final_image():
    steps = list(instructions(CONTAINERFILE.read_text()))
    last = [number for number, (name, _) in enumerate(steps) if name == "FROM"][-1]
    assert any("graders" in rest for name, rest in steps[:last] if name == "COPY")
    assert [rest for name, rest in steps[last:] if name == "COPY"] == [
        "images/install.sh /opt/install.sh",
        "--from=wheel /wheel /opt/wheel",
    ]


def test_the_recipe_for_clusters_makes_the_same():
    found = sections(DEFINITION.read_text())
    assert list(found) == ["", "arguments", "files", "post", "environment", "test", "runscript"]
    arguments = dict(rest.split("=", 1) for name, rest in instructions(CONTAINERFILE.read_text()) if name == "ARG")
    assert found[""] == ["Bootstrap: docker", f"From: {arguments['BASE']}"]
    assert dict(one.split("=") for one in found["arguments"]) == {name: arguments[name] for name in ("TORCH", "UV")}
    copied = [one.split() for one in found["files"]]
    assert all((ROOT / source).exists() and target.startswith("/src/") for source, target in copied)
    built = [rest.split()[:-1] for name, rest in instructions(CONTAINERFILE.read_text()) if name == "COPY"]
    wanted = {one for sources in built for one in sources if not one.startswith(("--", "/"))}
    assert {source for source, _ in copied} == wanted
    used = set(re.findall(r"{{ (\w+) }}", DEFINITION.read_text()))
    assert used == {"TORCH", "UV"}
    assert found["post"] == ["sh /src/install.sh /src {{ TORCH }} {{ UV }}", "rm -rf /src"]
    (path,) = [rest.removeprefix("PATH=") for name, rest in instructions(CONTAINERFILE.read_text()) if name == "ENV"]
    assert found["environment"] == [f"export PATH={path}"]


def test_scripts_and_recipe_are_what_a_shell_and_a_linter_take():
    subprocess.run(["sh", "-n", INSTALL], check=True)
    if (linter := shutil.which("hadolint")) is not None:
        subprocess.run([linter, CONTAINERFILE], check=True)


@pytest.mark.slow
@pytest.mark.nightly  # a bare Debian is fetched: two minutes
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("debootstrap"), reason="root and debootstrap are needed")
def test_its_steps_make_a_working_tlcourse_in_a_bare_debian(tmp_path):
    """Each step is made as an engine makes it, without torch; then the course is read as the image's user."""
    base = tmp_path / "base"
    mirror = subprocess.run(APT, check=True, capture_output=True, text=True).stdout.split()[0]
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", base, mirror], check=True, capture_output=True)
    trusted = "/etc/of-this-machine.crt"  # the network, as this machine reaches it
    shutil.copy("/etc/resolv.conf", base / "etc")
    shutil.copy(os.environ.get("PIP_CERT") or ssl.get_default_verify_paths().cafile or os.devnull, f"{base}{trusted}")
    stages: dict[str, Path] = {}
    root, settings, user = base, {"TORCH": "none"}, "0"
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    environment |= {"PIP_CERT": trusted, "SSL_CERT_FILE": trusted}
    for name, rest in instructions(CONTAINERFILE.read_text()):
        if name == "ARG":
            key, _, value = rest.partition("=")
            settings.setdefault(key, value)
        elif name == "FROM":
            root = tmp_path / f"stage-{len(stages)}"
            subprocess.run(["cp", "-a", base, root], check=True)
            stages[rest.partition(" AS ")[2] or "final"] = root
        elif name == "COPY":
            *sources, target = rest.split()
            folder = ROOT
            if sources[0].startswith("--from="):
                folder = stages[sources.pop(0).removeprefix("--from=")]
            for source in sources:
                one = folder / source.lstrip("/")
                into = root / target.lstrip("/")
                if one.is_dir():
                    shutil.copytree(one, into, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    into = into / one.name if target.endswith("/") else into
                    into.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(one, into)
        elif name == "RUN":
            inside(root, rest, environment | settings)
        elif name == "ENV":
            environment |= dict([rest.split("=", 1)])
        elif name == "USER":
            user = rest
    said = inside(root, "tlcourse author check && bwrap --version && id -u", environment, user)
    assert "No problem in 20 units" in said
    assert said.splitlines()[-1] == "1000"
    assert inside(root, "find / -xdev '(' -name 'ex2*' -path '*references*' -o -name uv -type f ')'", environment) == ""


def inside(root: Path, command: str, environment: dict[str, str], user: str = "0") -> str:
    """What a shell prints that has `root` for its root folder, with /proc and /dev there."""
    given = [f"{name}={value}" for name, value in {**environment, "HOME": "/tmp"}.items()]
    shell = ["env", "-i", *given, "/bin/sh", "-c", f"cd /tmp; {command}"]
    steps = f'mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot "$@"'
    entered = ["unshare", "--mount", "--propagation", "private", "sh", "-c", steps, "sh"]
    chrooted = [f"--userspec={user}:{user}", str(root), *shell]
    done = subprocess.run([*entered, *chrooted], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout
