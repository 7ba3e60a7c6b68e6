/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libpq, loaded where a scenario asks for it: with what it needs in turn (TLS, Kerberos, LDAP) it
 * would cost every run time and memory. Members are named as the library's functions without
 * their PQ.
 */
#ifndef PERFBPF_DRIVE_POSTGRES_LIBPQ_H
#define PERFBPF_DRIVE_POSTGRES_LIBPQ_H

#include <libpq-fe.h>

#include "util/error.h"

struct libpq {
	PGconn *(*connectStart)(const char *conninfo);
	PostgresPollingStatusType (*connectPoll)(PGconn *conn);
	ConnStatusType (*status)(const PGconn *conn);
	int (*socket)(const PGconn *conn);
	int (*setnonblocking)(PGconn *conn, int arg);
	PGVerbosity (*setErrorVerbosity)(PGconn *conn, PGVerbosity verbosity);
	PQnoticeReceiver (*setNoticeReceiver)(PGconn *conn, PQnoticeReceiver receiver, void *arg);
	char *(*errorMessage)(const PGconn *conn);
	void (*finish)(PGconn *conn);
	int (*sendQuery)(PGconn *conn, const char *sql);
	int (*sendPrepare)(PGconn *conn, const char *name, const char *sql, int n,
			   const Oid *types);
	int (*sendQueryPrepared)(PGconn *conn, const char *name, int n, const char *const *values,
				 const int *lengths, const int *formats, int result_format);
	int (*consumeInput)(PGconn *conn);
	int (*isBusy)(PGconn *conn);
	int (*flush)(PGconn *conn);
	PGresult *(*getResult)(PGconn *conn);
	int (*putCopyData)(PGconn *conn, const char *bytes, int n);
	int (*putCopyEnd)(PGconn *conn, const char *error);
	ExecStatusType (*resultStatus)(const PGresult *result);
	char *(*resultErrorField)(const PGresult *result, int code);
	char *(*resultErrorMessage)(const PGresult *result);
	int (*ntuples)(const PGresult *result);
	int (*nfields)(const PGresult *result);
	char *(*getvalue)(const PGresult *result, int row, int column);
	int (*getisnull)(const PGresult *result, int row, int column);
	char *(*cmdTuples)(PGresult *result);
	int (*getlength)(const PGresult *result, int row, int column);
	void (*clear)(PGresult *result);
};

/*
 * Fills @pq. It stays loaded, since it cannot be unloaded cleanly. -1 with @err where the library
 * or one of its functions is missing.
 */
int libpq_load(struct libpq *pq, struct error *err);

#endif
