"""Attempts on the kernel: calls, namespaces, devices and privileges that training code never needs. Numbers of x86-64."""

from __future__ import annotations

from tests.attacks.case import Case, LandlockGap, outcomes


def _refused(
    called: str, must_not: str, with_: str = "EPERM", landlock_gap: LandlockGap | None = None, /, **calls: str
) -> Case:
    """Each call, given as its arguments, is refused with the error `with_`."""
    told = ", ".join(f"{call}=call({arguments})" for call, arguments in calls.items())
    return Case(37, called, must_not, f"tell({told})", told=dict.fromkeys(calls, with_), landlock_gap=landlock_gap)


_MACHINE_CODE = """
        import mmap
        def run(code):
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(code)
            address = ctypes.addressof(ctypes.c_char.from_buffer(page))
            return ctypes.CFUNCTYPE(ctypes.c_int)(address)()
"""

CASES = [
    _refused(
        "io-uring",
        "calls went past the filter through io_uring",
        setup="425, 8, bytes(120)",
        enter="426, 3, 0, 0, 0, None, 0",
        register="427, 3, 0, None, 0",
    ),
    _refused(
        "keys",
        "the kernel's keyring was used",
        add="248, b'user', b'x', b'y', 1, -3",
        request="249, b'user', b'x', None, 0",
        control="250, 0, -3, 0, 0, 0",
    ),
    _refused(
        "mounting",
        "a file system was mounted, moved or left",
        mount="165, b'tmpfs', b'/tmp', b'tmpfs', 0, None",
        umount="166, b'/proc', 2",
        pivot="155, b'/tmp', b'/tmp'",
        chroot="161, b'/tmp'",
        fsopen="430, b'tmpfs', 0",
        open_tree="428, -100, b'/', 1",
        move="429, -100, b'/proc', -100, b'/tmp', 0",
        setattr="442, -100, b'/', 0, bytes(32), 32",
    ),
    _refused(
        "namespaces",
        "a namespace was made or entered",
        unshare="272, 0x10000000",
        net="272, 0x40000000",
        setns="308, 0, 0",
        clone="56, 0x10000000 | 17, 0, 0, 0, 0",
    ),
    _refused(
        "clone3",
        "a namespace was made through a call whose flags no filter sees",
        "ENOSYS",
        clone3="435, bytes(88), 88",
    ),
    _refused(
        "programs-for-the-kernel",
        "code was loaded into the kernel",
        bpf="321, 5, bytes(120), 120",
        perf="298, bytes(120), 0, -1, -1, 0",
        module="175, None, 0, b''",
        kexec="246, 0, 0, None, 0",
        userfault="323, 0",
    ),
    _refused(
        "tables-of-the-whole-machine",
        "something was taken of which the machine, or its user, has a fixed number for all programs",
        asynchronous="206, 60000, bytes(8)",
        queue="240, b'q', 0o102, 0o600, None",
        segments="154, 0, bytes(16), 16",
        quota="443, 0, 0, 0, None",
    ),
    _refused(
        "file-handles",
        "a file was opened by its number on disk, past every mount",
        open="304, -100, bytes(32), 0",
        name="303, -100, b'/', bytes(136), bytes(8), 0",
    ),
    _refused(
        "other-processes-memory",
        "the memory or the descriptors of another process were taken",
        ptrace="101, 16, 1, 0, 0",
        read="310, 1, None, 0, None, 0, 0",
        write="311, 1, None, 0, None, 0, 0",
        getfd="438, 3, 0, 0",
        kcmp="312, 1, 1, 0, 0, 0",
    ),
    _refused(
        "the-machine-itself",
        "the machine was rebooted, renamed, or its swap, log or accounting was used",
        reboot="169, 0, 0, 0, None",
        swapon="167, b'/tmp/x', 0",
        acct="163, b'/tmp/x'",
        syslog="103, 3, None, 0",
        name="170, b'x', 1",
        personality="135, 0x0040000",
    ),
    Case(
        37,
        "socket-families",
        "a socket reached the host through VSOCK, raw packets, Bluetooth or the kernel's crypto",
        """
        families = {"vsock": 40, "packet": 17, "alg": 38, "bluetooth": 31, "can": 29, "tipc": 30, "xdp": 44, "rds": 21}
        tell(made=[name for name, number in families.items() if call(41, number, 1, 0) == "done"],
             raw=[call(41, 2, 3, 1), call(41, 10, 3, 58)])
        """,
        told={"made": [], "raw": ["EPERM", "EPERM"]},
    ),
    Case(
        37,
        "thirty-two-bit-calls",
        "a call by its 32-bit number went past the filter",
        _MACHINE_CODE
        + """
        # mov eax, 20 (getpid); int 0x80; ret
        tell(went=run(bytes.fromhex("b814000000cd80c3")))
        """,
        outcomes=outcomes("crash"),
        said="SIG",
    ),
    Case(
        37,
        "x32-calls",
        "a call by its x32 number went past the filter",
        "tell(went=libc.syscall(0x40000000 + 272, 0x10000000))",
        outcomes=outcomes("crash"),
        said="SIGSYS",
    ),
    Case(
        37,
        "devices",
        "a device of the machine was there, or could be made",
        """
        import stat
        known = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
        found = []
        for name in ("mem", "kmem", "kvm", "vda", "sda", "nvme0n1", "fuse", "vsock", "vhost-vsock", "net/tun", "kmsg", "port",
                     "uinput", "mapper/control", "loop-control", "nvidia0", "dri/card0"):
            if tries(lambda: os.close(os.open("/dev/" + name, os.O_RDONLY))) == "done":
                found.append(name)
        here = os.environ["TMPDIR"]
        made = [kind for kind, mode in (("block", stat.S_IFBLK), ("character", stat.S_IFCHR))
                if tries(os.mknod, f"{here}/{kind}", mode | 0o666, os.makedev(1, 1)) == "done"]
        tell(found=found, made=made)
        """,
        told={"found": [], "made": []},
    ),
    Case(
        37,
        "type-into-the-terminal",
        "keys were typed into the grader's terminal",
        """
        def typed(name):
            descriptor = os.open(name, os.O_RDWR)
            import fcntl
            fcntl.ioctl(descriptor, 0x5412, b"x")
        tell(typed=[name for name in ("/dev/tty", "/dev/console", "/proc/self/fd/0") if tries(typed, name) == "done"])
        """,
        told={"typed": []},
    ),
    Case(
        37,
        "become-root",
        "a program with the set-uid bit, or a call, gave privileges",
        """
        gained = []
        for program in ("/usr/bin/su", "/usr/bin/sudo", "/usr/bin/passwd", "/usr/bin/newgrp", "/usr/bin/ping", "/usr/bin/fusermount3"):
            if os.path.exists(program):
                with contextlib.suppress(Exception):
                    code = "import os; print(os.geteuid())"
                    done = subprocess.run([program, "-c", "id -u"], capture_output=True, timeout=2, stdin=subprocess.DEVNULL)
                    if done.stdout.strip() == b"0":
                        gained.append(program)
        status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line)
        tell(gained=gained, setuid=tries(os.setuid, 0) == "done", setgid=tries(os.setgid, 0) == "done", root=os.geteuid() == 0,
             capabilities=sorted({status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}),
             no_new=status["NoNewPrivs"].strip())
        """,
        alone=True,
        told={
            "gained": [],
            "setuid": False,
            "setgid": False,
            "root": False,
            "capabilities": ["0000000000000000"],
            "no_new": "1",
        },
    ),
    Case(
        37,
        "settings-of-the-kernel",
        "a setting of the kernel, a control group or the order of the out-of-memory killer was changed",
        """
        def write(path, text):
            with open(path, "w") as stream:
                stream.write(text)
        paths = {"/proc/sys/kernel/core_pattern": "|/tmp/x", "/proc/sysrq-trigger": "h", "/proc/sys/vm/drop_caches": "1",
                 "/proc/self/oom_score_adj": "-1000", "/sys/kernel/uevent_helper": "x", "/sys/fs/cgroup/cgroup.procs": "0",
                 "/proc/1/oom_score_adj": "-1000", "/proc/self/uid_map": "0 0 1"}
        tell(written=[path for path, text in paths.items() if tries(write, path, text) == "done"])
        """,
        told={"written": []},
    ),
    Case(
        37,
        "dump-core",
        "a core file with the memory of the run was written",
        "libc.abort()",
        outcomes=outcomes("crash"),
        said="SIGABRT",
    ),
]
