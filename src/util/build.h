/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The static build (`make static`) is a single file for hosts that lack the libraries, or have
 * others. It loads none: what needs one is left out, and says so.
 */
#ifndef PERFBPF_UTIL_BUILD_H
#define PERFBPF_UTIL_BUILD_H

/*
 * First thing in main(). In a static build users and groups are then looked up in /etc/passwd and
 * /etc/group, hosts in /etc/hosts and by DNS, whatever nsswitch.conf says: the C library would load
 * modules of the host's for all else, and may crash by those of another version of it.
 */
void build_prepare(void);

#endif
