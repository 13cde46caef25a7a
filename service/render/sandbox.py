"""Confining the process that parses foreign bytes, before it has read any.

What it can do afterwards: read what it has open, write to what it has open, ask for memory (up to a limit), exit. It
cannot open a file or a socket, start or signal a process, or be dumped. An attacker who takes the parser over can lie
about the one file he sent, and slow one of few examinations down to its time limit.

In force, where the system has it:

* limits on memory, CPU time, file size (0) and open files;
* no core dump, no debugger from outside (a dump would put plaintext on the disk);
* a system call filter (seccomp) that allows a short list and refuses all else, on Linux for x86-64 and ARM64;
* where there is no such filter, a network of its own without interfaces.

`confine` says what could not be had. No privilege is needed for the filter.

Source: Linux Documentation/userspace-api/seccomp_filter.rst, no_new_privs.rst; prctl(2), setrlimit(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from typing import Final

MEMORY_BYTES: Final = 1_073_741_824
CPU_S: Final = 15
OPEN_FILES: Final = 16
_MOST_FILES: Final = 1_048_576

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000

# A filter is a program for the kernel's packet machine: (code, jump if true, jump if false, value).
_LOAD: Final = 0x20  # load a 32-bit word of the call's description: its number at 0, the architecture at 4
_IF_EQUAL: Final = 0x15
_ANSWER: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM

# Numbers of: read write close lseek mmap mprotect munmap mremap brk madvise, rt_sigaction rt_sigprocmask rt_sigreturn
# sigaltstack, sched_yield futex getpid gettid getrusage gettimeofday clock_gettime getrandom membarrier rseq, exit
# exit_group. Nothing that names a path, a socket, another process or a new one.
_INTEL: Final = "0 1 3 8 9 10 11 25 12 28 13 14 15 131 24 202 39 186 98 96 228 318 324 334 60 231"
_ARM: Final = "63 64 57 62 222 226 215 216 214 233 134 135 139 132 124 98 172 178 165 169 113 278 283 293 93 94"
# By machine: its number for the kernel (AUDIT_ARCH_*), and the calls.
_ALLOWED: Final = {
    "x86_64": (0xC000003E, tuple(map(int, _INTEL.split()))),
    "aarch64": (0xC00000B7, tuple(map(int, _ARM.split()))),
}


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine() -> tuple[str, ...]:
    """Confine this process for good.

    Returns:
        What could not be had, in words for an operator; empty when everything is in force.
    """
    missing = list(_limit())
    if not sys.platform.startswith("linux"):
        return (*missing, "system call filter", "network of its own")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        missing.append("no dumps")
    if not _filter(libc):
        missing.append("system call filter")
        if not _leave_network(libc):
            missing.append("network of its own")
    return tuple(missing)


def close_all_but_pipes() -> None:
    """Close every file but standard input, output and error, whatever the starting process let through.

    Not every event loop closes what was marked as inheritable: a listening socket, say, that is shared with workers.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.closerange(3, most if most != resource.RLIM_INFINITY else _MOST_FILES)


def die_with_parent() -> None:
    """Be killed when the process that forked this one is gone (Linux); elsewhere the end of its input ends it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit() -> list[str]:
    wanted = {
        "memory limit": (resource.RLIMIT_AS, MEMORY_BYTES),
        "CPU limit": (resource.RLIMIT_CPU, CPU_S),
        "file size limit": (resource.RLIMIT_FSIZE, 0),
        "open file limit": (resource.RLIMIT_NOFILE, OPEN_FILES),
        "no core files": (resource.RLIMIT_CORE, 0),
    }
    missing = []
    for name, (limit, value) in wanted.items():
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            missing.append(name)
    return missing


def _filter(libc: ctypes.CDLL) -> bool:
    program = filter_program(platform.machine())
    if program is None or libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    holder = _Program(len(program) // 8, program)
    return not libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(holder), 0, 0)


def filter_program(machine: str) -> bytes | None:
    """Return the filter for a machine, 8 bytes an instruction; None where we know no call numbers.

    A call of another architecture (32-bit calls on a 64-bit machine, say) has other numbers, so it is refused before
    its number is looked at; x32 calls have numbers that are on no list.
    """
    if machine not in _ALLOWED:
        return None
    architecture, numbers = _ALLOWED[machine]
    last = len(numbers)
    program = [(_LOAD, 0, 0, 4), (_IF_EQUAL, 1, 0, architecture), (_ANSWER, 0, 0, _REFUSE), (_LOAD, 0, 0, 0)]
    program += [(_IF_EQUAL, last - at, 0, number) for at, number in enumerate(numbers)]
    program += [(_ANSWER, 0, 0, _REFUSE), (_ANSWER, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _leave_network(libc: ctypes.CDLL) -> bool:
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))
