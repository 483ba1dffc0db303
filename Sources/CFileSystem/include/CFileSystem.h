#ifndef AUDITLAKE_CFILESYSTEM_H
#define AUDITLAKE_CFILESYSTEM_H

#include <stdint.h>

/// Whether a path lies on a file system that other machines or programs change without the kernel's knowledge, so that
/// inotify does not tell: NFS, SMB, FUSE, 9p, AFS, Ceph. 1 or 0; -1 with `errno` when it cannot be asked.
int fs_is_remote(const char *path);

/// When a file was created, in nanoseconds since 1970-01-01 UTC; -1 when that is not known.
int64_t fs_birth(const char *path);

/// A descriptor that poll(2) finds readable once `fs_wake` was called, until it is read. -1 with `errno`.
int fs_create_wakeup(void);

/// Makes it readable; for any thread.
void fs_wake(int wakeup);

/// Makes it unreadable again.
void fs_clear_wakeup(int wakeup);

#endif
