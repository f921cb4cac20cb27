"""What the test bed writes down and runs: Slurm's and SSH's configuration, its first process, and a crash."""

from __future__ import annotations

# pid 1 of the namespace: it makes the views, says so, and reaps whatever loses its parent
FIRST = """
import os, signal, subprocess, sys, threading
root = sys.argv[1]
def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
for name in ("munge", "sshd", "user"):
    os.mkdir(f"/run/{name}", 0o755)
for name in ("slurm", "passwd", "group", "shadow"):
    mount("--bind", f"{root}/etc/{name}", f"/etc/{name}")
# an empty /tmp, and a /root that all may enter, with the interpreter and this package where they were
seen = list(enumerate(sys.argv[2:]))
for number, folder in seen:
    mount("--bind", folder, f"{root}/seen/{number}")
for top, mode in ("/tmp", "1777"), ("/root", "755"):
    mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", top)
for number, folder in seen:
    os.makedirs(folder, 0o755, exist_ok=True)
    mount("--bind", f"{root}/seen/{number}", folder)
print("ready", flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()  # the tests were killed
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
while True:
    try:
        os.wait()
    except ChildProcessError:
        signal.sigtimedwait([signal.SIGCHLD], 0.2)
"""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# parents first, so that no shell goes on to its next line
CRASH = """
tree() { echo "$1"; for c in $(pgrep -P "$1"); do tree "$c"; done; }
node=$1; shift
kill -9 $(pgrep -f "^/usr/sbin/slurmd -D -N $node\\$")
for job; do for step in $(pgrep -f "^slurmstepd: \\[$job\\."); do kill -9 $(tree "$step"); done; done
"""
WITH_CGROUPS = "ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup\nJobAcctGatherType=jobacct_gather/linux"
WITHOUT_CGROUPS = (
    "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/linux\n"
    "JobAcctGatherParams=OverMemoryKill"
)
SLURM_CONF = """\
ClusterName=testbed
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=slurm
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
SwitchType=switch/none
{tracking}
JobAcctGatherFrequency=task=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
JobRequeue=1
KillWait=2
MinJobAge=3600
SlurmctldTimeout=30
SlurmdTimeout=2
TCPTimeout=2
MessageTimeout=10
InactiveLimit=0
Waittime=0
MaxArraySize=1001
DefMemPerCPU=500
AccountingStorageType=accounting_storage/none
StateSaveLocation={root}/state
SlurmctldPidFile={root}/state/slurmctld.pid
SlurmdPidFile={root}/state/slurmd-%n.pid
SlurmdSpoolDir={root}/spool-%n
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
SlurmctldDebug=info
SlurmdDebug=info
NodeName={node}[1-{last}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports}] CPUs={cpus} RealMemory={memory} {gres}
PartitionName=main Nodes=ALL Default=YES DefaultTime=10 MaxTime=120 PreemptMode=OFF State=UP
PartitionName=short Nodes={node}1 MaxTime=2 PreemptMode=OFF State=UP
PartitionName=veiled Nodes=ALL Hidden=YES MaxTime=120 PreemptMode=OFF State=UP
PartitionName=spare Nodes=ALL MaxTime=120 PriorityTier=1 State=UP
PartitionName=urgent Nodes=ALL MaxTime=120 PriorityTier=9 PreemptMode=OFF State=UP
"""
SSHD_CONF = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {root}/host_key
PidFile none
AuthorizedKeysFile {root}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
MaxSessions 50
MaxStartups 50:30:100
PrintMotd no
Subsystem sftp internal-sftp
LogLevel INFO
"""
SSH_CONF = """\
Host slurmlogin
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {root}/client_key
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {root}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""
