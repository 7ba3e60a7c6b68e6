/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Small helpers over files and folders. */
#ifndef PERFBPF_UTIL_FILE_H
#define PERFBPF_UTIL_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* The whole of @path, NUL-terminated, to be freed; NULL with errno. Refuses files over @max bytes
 * (EFBIG). */
char *file_read(const char *path, size_t max, size_t *size);
/* Creates @path with its parents like `mkdir -p`; 0 or -errno. */
int dir_make(const char *path, mode_t mode);
/* Removes @path and all below it, never following links; 0 or -errno of the first failure. */
int dir_remove(const char *path);
/* The same of @name in the folder that @parent is open on. */
int dir_remove_at(int parent, const char *name);
/* The full path of @name as execvp would find it in $PATH, to be freed; NULL where it is not there.
 */
char *path_find(const char *name);

#endif
