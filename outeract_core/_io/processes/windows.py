"""Whether a process of Windows runs, and since when: asked with OpenProcess, which harms nobody.

Knows: three calls of kernel32. Does not know: why somebody asks.

`os.kill(pid, 0)` is no question there: signal 0 is CTRL_C_EVENT, and would end what it is sent to
(docs.python.org/3/library/os.html#os.kill).
"""

from __future__ import annotations

from typing import Any

_LIMITED, _ACTIVE, _INVALID = 0x1000, 259, 87
"""PROCESS_QUERY_LIMITED_INFORMATION, STILL_ACTIVE, ERROR_INVALID_PARAMETER: no such process."""


def exists(pid: int, kernel: Any = None) -> bool | None:
    """Whether the process runs; None when that is not told. `kernel`: kernel32, or a test's."""
    kernel = kernel or _kernel()
    if kernel is None:
        return None
    handle = kernel.OpenProcess(_LIMITED, False, pid)
    if not handle:
        return False if kernel.GetLastError() == _INVALID else None
    try:
        code = _number()
        found = kernel.GetExitCodeProcess(handle, _at(code))
        return code.value == _ACTIVE if found else None
    finally:
        kernel.CloseHandle(handle)


def started(pid: int, kernel: Any = None) -> str | None:
    """When it was started, in steps of 100 ns since 1601; None when that is not told."""
    import ctypes

    kernel = kernel or _kernel()
    handle = kernel.OpenProcess(_LIMITED, False, pid) if kernel is not None else None
    if not handle:
        return None
    try:
        times = [ctypes.c_uint64() for _ in range(4)]
        told = kernel.GetProcessTimes(handle, *map(ctypes.byref, times))
        return str(times[0].value) if told else None
    finally:
        kernel.CloseHandle(handle)


def _kernel() -> Any:
    import ctypes

    loader: Any = getattr(ctypes, "windll", None)
    if loader is None:
        return None
    kernel = loader.kernel32
    kernel.OpenProcess.restype = handle = ctypes.c_void_p  # a handle is as wide as an address
    kernel.CloseHandle.argtypes = [handle]
    kernel.GetExitCodeProcess.argtypes = [handle, ctypes.c_void_p]
    kernel.GetProcessTimes.argtypes = [handle, *[ctypes.c_void_p] * 4]
    return kernel


def _number() -> Any:
    import ctypes

    return ctypes.c_ulong()


def _at(number: Any) -> Any:
    import ctypes

    return ctypes.byref(number)
