"""Disks without room: a small one that is really mounted, and one whose n-th write fails."""

import contextlib
import os
import shutil
import subprocess
import sys

import pytest
from servers import installed

FAILING_WRITES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>

static long left = -1;
static int number;
static char folder[4096];

/* From now on so many writes to files below a folder succeed, and all others fail. */
void fail_writes(const char *below, long after, int error)
{
    strncpy(folder, below, sizeof folder - 1);
    number = error;
    left = after;
}

static int fails(int file)
{
    char link[64], path[4096];
    if (left < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder))) return 0;
    if (left > 0) return left--, 0;
    errno = number;
    return 1;
}

ssize_t write(int file, const void *from, size_t size)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    return fails(file) ? -1 : real(file, from, size);
}

ssize_t pwrite64(int file, const void *from, size_t size, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return fails(file) ? -1 : real(file, from, size, at);
}

ssize_t pwrite(int file, const void *from, size_t size, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    return fails(file) ? -1 : real(file, from, size, at);
}
"""


def failing_writes(folder):
    """A library that is loaded before all others, whose function `fail_writes` begins it."""
    if sys.platform != "linux":
        pytest.skip("writes are made to fail by way of Linux's loader")
    compiler = installed("cc")
    source, library = folder / "failing_writes.c", folder / "failing_writes.so"
    source.write_text(FAILING_WRITES)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@contextlib.contextmanager
def small_disk(folder, size):
    """A disk of so many bytes that is mounted at a folder; skipped where that is not allowed."""
    folder.mkdir()
    mount = installed("mount")
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    answer = subprocess.run([mount, *options], check=False, capture_output=True, text=True)
    if answer.returncode:
        pytest.skip(f"no disk may be mounted here: {answer.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([installed("umount"), "-l", str(folder)], check=True)


def fill(folder, spare):
    """Take all room of a small disk but for some bytes."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    ballast.write_bytes(b"\0" * max(0, shutil.disk_usage(folder).free - spare))
    os.sync()
