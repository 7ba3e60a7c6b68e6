/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf's messages: kept instead of printed, so that an error can quote the one that matters. */
#ifndef PERFBPF_PROBE_LOG_H
#define PERFBPF_PROBE_LOG_H

/* Starts keeping; forgets what was kept. libbpf offers no context, so there is one log a process.
 */
void probe_log_start(void);
/* The first warning since, without newline; "" where there was none. */
const char *probe_log_first(void);
/* The name of the program that failed to load, "" where none was named. */
const char *probe_log_program(void);
/* The end of what the kernel's verifier said of that program; "" where it said nothing. */
const char *probe_log_verifier(void);

#endif
