"""What a measured page says of the machine its run was on."""

import os
import platform


def machine() -> str:
    """Such as `a packaged cluster with 2 CPUs, x86_64`. `CLUSTER` is empty where nobody chose one."""
    return f"a {os.environ.get('CLUSTER') or 'packaged'} cluster with {os.cpu_count()} CPUs, {platform.machine()}"
