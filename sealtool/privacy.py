"""What keeps secrets and personal data from the other users of a machine: file modes, and no core dumps."""

from __future__ import annotations

import os
import resource
import stat

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ALL_BUT_READING_GROUP = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


def is_open_to_others(status: os.stat_result, *, user: int) -> bool:
    """Whether a file that holds a secret can be read or changed by anybody but ``user`` and root.

    A file of root's that a group may read, and no more, passes: so an administrator hands a secret to a service that
    shall not change it (mode 0640), and so does systemd (``LoadCredential=``, by an access list).
    """
    of_root_for_a_group = status.st_uid == 0 and user != 0
    return bool(status.st_mode & (_ALL_BUT_READING_GROUP if of_root_for_a_group else _OTHERS))


def forbid_core_dumps() -> None:
    """What this process and its children hold in memory, keys and people's data, is never written to a core file.

    A limit of one byte and not of none: that alone keeps Linux from handing a dump to a program, too (core(5), "Piping
    core dumps to a program"; fs/coredump.c).
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 0 if most == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
