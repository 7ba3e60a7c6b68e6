/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/build.h"

#include <nss.h>

void build_prepare(void)
{
#ifdef PERFBPF_STATIC
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	__nss_configure_lookup("initgroups", "files");
	__nss_configure_lookup("services", "files");
	__nss_configure_lookup("hosts", "files dns");
#endif
}
