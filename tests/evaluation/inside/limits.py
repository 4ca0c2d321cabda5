"""Run inside the sandbox, first of all: set this process's limits and become the command."""

import os
import resource
import sys

cpu_seconds, memory_bytes, file_bytes = map(int, sys.argv[1:4])
resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if memory_bytes:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
os.execv(sys.argv[4], sys.argv[4:])
