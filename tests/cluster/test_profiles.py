"""The configuration file: read with file and line, changed with its comments kept; what a profile asks of Slurm."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest

from tlcourse.cluster.plan import SPARE_MB, Packer, Task, job_script, start_lines
from tlcourse.cluster.profile import (
    Container,
    Profile,
    find_profile,
    load_profiles,
    parse_profiles,
    ready_profiles,
    set_values,
)
from tlcourse.cluster.shell import SshShell
from tlcourse.cluster.staging import package_archive
from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.errors import UsageError

PATH = Path("config.yaml")
TEXT = """\
# mine
profiles:
  uni:
    host: uni   # the login node
    gpus: 1
    modules:
      - Python
      - CUDA
    at_once: 2
"""


def test_the_ready_profiles_hold_and_name_what_lumi_needs():
    ready = ready_profiles()
    assert {"cluster", "lumi", "lumi-dev", "lecture"} <= set(ready)
    lumi, dev = ready["lumi"], ready["lumi-dev"]
    assert (lumi.partition, dev.partition) == ("small-g", "dev-g")
    assert lumi.account
    # facts of LUMI's public guide of 2026: one GCD's share of a node, jobs of a person, the AI images, shared nodes
    assert dev.minutes <= 60 * 3
    for profile, jobs in ((lumi, 210), (dev, 2)):
        assert (profile.gpus, profile.cpus, profile.memory_mb) == (1, 7, 60000)
        assert profile.at_once <= jobs
        assert profile.module_paths == ["/appl/local/laifs/modules"]
        assert profile.modules == ["lumi-aif-singularity-bindings"]
        assert profile.container.image.startswith("/appl/local/laifs/containers/")
        assert profile.container.options == ["--rocm"]
        caches = [profile.environment[f"MIOPEN_{name}"] for name in ("USER_DB_PATH", "CUSTOM_CACHE_DIR")]
        assert caches == ["/tmp/miopen-$USER-$SLURM_JOB_ID"] * 2
        assert profile.work.startswith("/scratch/")
    assert ready["lecture"].places == 16


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("    gpu: 1", "config.yaml:3: profiles.uni has `gpu`"),
        ("    gpus: many", "config.yaml:4: profiles.uni.gpus is str, expected int"),
        ("    at_once: 0", "config.yaml:4: profiles.uni.at_once"),
        ("    partition: a b", "config.yaml:4: profiles.uni.partition"),
        ("    account: 'x; rm -rf ~'", "config.yaml:4: profiles.uni.account"),
        ("    host: -oProxyCommand=evil", "config.yaml:4: profiles.uni.host"),
        ("    work: $(id)", "config.yaml:4: profiles.uni.work"),
        ("    host: -Fevil", "config.yaml:4: profiles.uni.host"),
        ("    host: -V", "config.yaml:4: profiles.uni.host"),
        ("    host: jane@-Eowned.log", "config.yaml:4: profiles.uni.host"),
        ("    host: -l@uni", "config.yaml:4: profiles.uni.host"),
        ('    host: "uni\\n"', "config.yaml:4: profiles.uni.host"),
        ("    partition: --wrap", "config.yaml:4: profiles.uni.partition"),
        ('    account: "a\\n"', "config.yaml:4: profiles.uni.account"),
        ("    modules: [--use]", "config.yaml:4: profiles.uni.modules"),
        ("    python: -c", "config.yaml:4: profiles.uni.python"),
        ("    packages: [-rfile]", "config.yaml:4: profiles.uni.packages"),
        ("    work: -p", "config.yaml:4: profiles.uni.work"),
        ("    container: {image: --nv}", "config.yaml:4: profiles.uni.container.image"),
        ("    container: {image: x.sif, command: -c}", "config.yaml:4: profiles.uni.container.command"),
        ("    container: {binds: [/x]}", "config.yaml:4: profiles.uni.container has no `image`"),
        ("  - x", "config.yaml"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(line, said):
    with pytest.raises(UsageError) as raised:
        parse_profiles(f"\nprofiles:\n  uni:\n{line}\n", PATH)
    assert said in raised.value.what


def test_what_is_meant_as_an_option_may_be_one_and_hosts_are_as_ssh_takes_them():
    text = "profiles:\n  uni:\n    host: {}\n    sbatch: [--constraint=gpu, -C, fast]\n    pip_options: [--pre]\n"
    for host in ("uni", "jane.doe@uni.example.org", "10.0.0.7", "::1", "fe80::1", "login_1"):
        profile = parse_profiles(text.format(host), PATH)["uni"]
        assert (profile.host, profile.sbatch[0], profile.pip_options) == (host, "--constraint=gpu", ["--pre"])


def test_ssh_is_told_where_its_options_end_and_reads_no_configuration_of_the_folder_one_stands_in(
    tmp_path, monkeypatch
):
    (tmp_path / "ssh").write_text(
        '#!/bin/sh\nfor word; do echo "$word"; done >"$(dirname "$0")/words"\nexec /bin/sh -c "$word"\n'
    )
    (tmp_path / "ssh").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(tmp_path / "config.yaml"))
    assert SshShell("uni", "uni", "ssh_config").run("echo works").text == "works\n"
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:2] == ["-F", str(tmp_path / "ssh_config")]
    assert words[-3:-1] == ["--", "uni"]
    assert words[-1].startswith("exec /bin/sh -c ")


def test_local_is_this_machine_and_no_profile():
    with pytest.raises(UsageError, match="means this machine"):
        parse_profiles("profiles:\n  local:\n    gpus: 1\n", PATH)


def test_an_unknown_place_names_those_there_are(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_CONFIG", str(tmp_path / "none.yaml"))
    assert load_profiles() == {}
    assert find_profile("slurm") == Profile()
    with pytest.raises(UsageError) as raised:
        find_profile("moon")
    assert "local, slurm" in raised.value.cause
    assert "lumi" in raised.value.cause


def changed(text: str, name: str, **values: str) -> tuple[str, Profile]:
    new = set_values(text, name, {key.replace("__", "."): value for key, value in values.items()}, PATH)
    return new, parse_profiles(new, PATH)[name]


def test_setting_a_field_leaves_the_rest_and_the_comments_as_they_are():
    text, profile = changed(TEXT, "uni", gpus="2", partition="gpu")
    assert profile == Profile(host="uni", gpus=2, partition="gpu", modules=["Python", "CUDA"], at_once=2)
    assert "# mine" in text
    assert "host: uni   # the login node" in text
    assert len(text.splitlines()) == len(TEXT.splitlines()) + 1


def test_a_list_written_over_lines_can_be_replaced():
    _, profile = changed(TEXT, "uni", modules="[PyTorch]")
    assert (profile.modules, profile.at_once) == (["PyTorch"], 2)


def test_a_number_where_a_word_is_expected_is_a_word():
    assert changed(TEXT, "uni", account="462000000")[1].account == "462000000"


def test_fields_of_the_container_are_set_by_their_path():
    text, profile = changed(TEXT, "uni", container__image="/images/torch.sif")
    assert profile.container == Container("/images/torch.sif")
    assert changed(text, "uni", container__binds="[/scratch]")[1].container == Container(
        "/images/torch.sif", ["/scratch"]
    )


def test_a_ready_profile_is_taken_over_with_its_comments():
    text, profile = changed("", "lumi", account="project_465000001")
    assert profile.account == "project_465000001"
    assert profile.partition == "small-g"
    assert "# LUMI: AMD MI250X" in text
    both, _ = changed(text, "lecture", host="example")
    assert set(parse_profiles(both, PATH)) == {"lumi", "lecture"}


def test_a_profile_of_ones_own_begins_empty():
    assert changed(TEXT, "other", host="somewhere")[1].host == "somewhere"


@pytest.mark.parametrize("pair", [("gpus", "many"), ("moon", "1"), ("container.moon", "1"), ("at_once", "[1")])
def test_what_does_not_hold_is_not_set(pair):
    with pytest.raises(UsageError, match="cannot be set"):
        set_values(TEXT, "uni", dict([pair]), PATH)


def test_the_job_script_asks_for_what_the_profile_says(job_for):
    task = Packer().task(job_for(wall_time_s=100, memory_mb=2048), b"")
    profile = Profile(partition="gpu", account="p1", gpus=1, gpu_type="a100", at_once=3, modules=["Python/3.11"],
                      setup=["ulimit -n 4096"], environment={"A": "b c"}, sbatch=["--constraint=big"])  # fmt: skip
    lines = job_script(profile, "name", "/w/jobs/name", "/w/code/x", "python3", [[task, task], [task]]).splitlines()
    assert lines.index("unset TLCOURSE_SECRET") < next(n for n, line in enumerate(lines) if "python3" in line)
    asked = {line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH")}
    wanted = {"partition=gpu", "account=p1", "gpus-per-node=a100:1", "array=0-1%3", f"mem={2048 + SPARE_MB}M"}
    assert wanted | {"time=7", "constraint=big", "no-requeue", "cpus-per-task=1"} <= asked
    assert "export TLCOURSE_JOB_SECONDS=420" in lines
    assert lines.index("ulimit -n 4096") < lines.index("module load Python/3.11") < lines.index('export A="b c"')
    assert lines[-1] == '"python3" -m tlcourse.cluster.worker_node /w/jobs/name'


def test_a_container_wraps_python_and_binds_the_work_folder(job_for):
    task = Packer().task(job_for(), b"")
    container = Container("/images/torch.sif", ["/scratch"], options=["--rocm"], setup=["$WITH_CONDA"])
    script = job_script(Profile(container=container), "name", "/w/jobs/name", "/w/code/x", "python3", [[task]])
    assert 'singularity exec --rocm --bind /scratch,/w/jobs/name,"$code" /images/torch.sif bash -c ' in script
    assert script.index("$WITH_CONDA") < script.index('exec "python3" -m tlcourse.cluster.worker_node')


def test_the_same_job_has_the_same_key_and_its_arrays_are_kept_once(job_for):
    packer = Packer()
    first, second = job_for("pass"), job_for("pass")
    assert packer.task(first, b"a").key == packer.task(second, b"a").key
    assert packer.task(first, b"a").key != packer.task(first, b"b").key
    assert packer.task(job_for("pass", seed=8), b"a").key != packer.task(first, b"a").key
    task = packer.task(first, b"a")
    assert len(packer.blobs(task)) == 3  # training and validation data are the same here
    packer.drop_all_but([])
    assert packer.task(first, b"a") == task


def test_no_label_of_the_test_data_is_in_what_travels(job_for):
    packer = Packer()
    job = job_for()
    task = packer.task(job, b"")
    assert set(msgspec.json.decode(msgspec.json.encode(task))) == {
        "key", "task_spec", "limits", "sandbox_kind", "env", "submission", "train", "val", "test", "order_seed",
        "files",
    }  # fmt: skip
    header = packer.blobs(task)[task.test][8:].split(b"}", 1)[0]
    assert b'"x"' in header
    assert b'"y"' not in header


def test_the_package_travels_without_graders_and_the_same_package_is_the_same_archive():
    digest, data = package_archive()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = archive.getnames()
    assert "tlcourse/cluster/worker_node.py" in names
    assert not [name for name in names if "graders" in name.split("/")]
    package_archive.cache_clear()
    assert package_archive()[0] == digest


@pytest.mark.slow
def test_config_set_show_and_path_are_commands(tl, tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CONFIG", str(tmp_path / "deep" / "config.yaml"))
    assert tl("config", "set", "lumi", "account=project_1", course=None).returncode == 0
    shown = json.loads(tl("config", "show", "lumi", "--json", course=None).stdout)
    assert shown["profiles"]["lumi"]["account"] == "project_1"
    assert tl("config", "path", course=None).stdout.strip() == shown["path"]
    assert "small-g" in tl("config", "show", course=None).stdout
    assert "# LUMI" in tl("config", "show", "--ready", course=None).stdout
    wrong = tl("config", "set", "lumi", "gpus=many", course=None)
    assert wrong.returncode == 2
    assert "cannot be set" in wrong.stderr
    assert tl("jobs", "list", course=None).stdout.startswith("No run was sent to a cluster.")
    assert tl("jobs", "tail", course=None).returncode == 2
    assert tl("grade", "line", "x.py", "--on", "moon").returncode == 2


def script(**fields: object) -> str:
    """What a job of a profile with these fields runs."""
    spec = TaskSpec("check", "mini", ("y",), (Output("y"),), 1, 30.0, "cpu", 2)
    task = Task("k", spec, Limits(memory_mb=1000), "auto", {}, "s", "t", "v")
    return job_script(Profile(**fields), "tlcourse-1", "/work/jobs/tlcourse-1", "/work/code/1.tar", "python3", [[task]])


def test_set_up_comes_first_then_modules_then_the_environment_in_a_login_shell():
    text = script(
        setup=[". /etc/profile"], module_paths=["$HOME/modules"], modules=["Python/3.11"], environment={"A": "1"}
    )
    wanted = [
        "#!/bin/bash -l",
        ". /etc/profile",
        'module use "$HOME/modules"',
        "module load Python/3.11",
        'export A="1"',
    ]
    at = [text.index(words) for words in [*wanted, "tlcourse.cluster.worker_node"]]
    assert at == sorted(at)
    assert script(login_shell=False).startswith("#!/bin/bash\n")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("/tmp/miopen-$USER-${SLURM_JOB_ID}", "/tmp/miopen-jane-17"),
        ("$(id) `id` $1 $$ ${A:-$(id)} \\ \" ' $", "$(id) `id` $1 $$ ${A:-$(id)} \\ \" ' $"),
        ("a b;c", "a b;c"),
    ],
)
def test_a_variable_of_the_environment_is_read_in_the_job_and_nothing_else_is(value, read):
    (line,) = [line for line in script(environment={"X": value}).splitlines() if line.startswith("export X=")]
    env = {"USER": "jane", "SLURM_JOB_ID": "17", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", f'{line}\nprintf %s "$X"'], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == read


@pytest.mark.parametrize(
    "setup", [["true", "false # and so on", "touch reached"], ["source /no/such/file", "touch reached"]]
)
def test_a_set_up_ends_at_its_first_wrong_line_and_shows_it(tmp_path, setup):
    text = "\n".join(start_lines(Profile(setup=setup)))
    done = subprocess.run(["bash", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    wrong = next(line for line in setup if line != "true")
    assert done.returncode == 78
    assert f"tlcourse: a line of the profile's set-up failed: {wrong}" in done.stderr
    assert not (tmp_path / "reached").exists()


@pytest.mark.parametrize(
    ("fields", "lines", "absent"),
    [
        ({"gpus": 2}, ["--gpus-per-node=2", "--mem=2536M"], "--gres"),
        ({"gpus": 2, "gpu_type": "a100", "gpu_option": "gres"}, ["--gres=gpu:a100:2"], "--gpus-per-node"),
        ({"gpus": 1, "gpu_option": "none", "sbatch": ["--constraint=gpu"]}, ["--constraint=gpu"], "gpus-per-node"),
        ({"memory": "cpu", "memory_mb": 9000, "cpus": 7}, ["--mem-per-cpu=1286M"], "--mem="),
        ({"memory": "none"}, ["--cpus-per-task=2"], "--mem"),
    ],
)
def test_cards_and_memory_are_asked_for_as_the_site_wants_it(fields, lines, absent):
    text = script(**fields)
    assert all(f"#SBATCH {line}\n" in text for line in lines)
    assert absent not in text
