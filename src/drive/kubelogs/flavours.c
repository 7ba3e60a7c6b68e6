/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "drive/kubelogs/flavours.h"

#include <string.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct flavour flavours[SCHEDULE_KINDS] = {
	{
		.name = "microservice",
		.percent = {10, 70, 14, 6},
		.layout = "<level> [<service>] <text> trace=<hex16> span=<hex8>",
		.calm = {"handled <verb> <path> for user <id> in <ms> ms, <count> bytes out",
			 "cache hit for key cart:<id>, ttl <n> s, shard <small>",
			 "published <topic> event <hex8> to partition <small>, <count> bytes",
			 "reserved <small> units of <sku> for order <id> in <region>",
			 "health probe answered in <small> ms, <n> requests in flight"},
		.alarm =
			{"slow call to <service>: <ms> ms for user <id>, budget was <n> ms",
			 "retry <small> of 5 after <service> closed the connection, order <id>",
			 "auth token of session <hex8> was refused by <service>, code <status_bad>",
			 "circuit to <service> opened after <n> failures in <small> s",
			 "payment for order <id> left pending, <service> gave no answer in <ms> "
			 "ms"},
	},
	{
		.name = "database",
		.percent = {20, 60, 12, 8},
		.layout = "[<id>] <level>: <text> (db=<database> pid=<port>)",
		.calm = {"checkpoint complete: wrote <count> buffers, <small> files recycled, <ms> "
			 "ms",
			 "statement finished in <ms> ms: SELECT * FROM <table> WHERE id = <id> "
			 "LIMIT <n>",
			 "vacuum of <table> removed <count> dead rows and kept <count>, <n> pages "
			 "scanned",
			 "connection from <ip4>:<port> joined pool <database>, <n> of 100 in use",
			 "plan cached for INSERT INTO <table> (id, owner, total) VALUES ($1, $2, "
			 "$3)"},
		.alarm = {"lock on <table> held for <ms> ms by transaction <id>, <n> waiters",
			  "duplicate key breaks constraint on <table>: user <id> exists already",
			  "deadlock found, transaction <id> on <table> rolled back after <ms> ms",
			  "replica <region> is <count> bytes behind, write-ahead segment <hex8>",
			  "password auth failed for role reporting from <ip4>, attempt <small>"},
	},
	{
		.name = "security",
		.percent = {0, 55, 30, 15},
		.layout = "<level> sentinel[<port>]: <text> rule=<rule> region=<region>",
		.calm = {"session <hex8> opened for user <id> from <ip4> with a hardware key",
			 "certificate <hex16> renewed, valid for <n> days",
			 "policy bundle <hex8> loaded, <count> rules active, <small> changed",
			 "audit batch of <count> records sealed with digest <hex16>",
			 "access to <path> granted for role viewer from <ip4>"},
		.alarm =
			{"auth failure <small> for user <id> from <ip4>, country <country>",
			 "port scan from <ip4>: <n> ports in <small> s, source blocked for <n> min",
			 "privilege change of user <id> outside its maintenance hours",
			 "outbound transfer of <count> bytes to <ip4>:<port> is above the quota",
			 "signature of image <hex16> does not match, start of <service> refused"},
	},
	{
		.name = "iot",
		.percent = {30, 55, 10, 5},
		.layout = "<level> <device>/<sensor> fw=<small>.<n> <text>",
		.calm = {"reading temperature=<n>.<small>C humidity=<percent>% battery=<percent>% "
			 "rssi=-<n>dBm",
			 "uplink frame <id> accepted, <n> bytes, gateway <hex8>, airtime <n> ms",
			 "desired state applied: sample every <n> s, report every <small> min",
			 "calibration offset <small>.<n> stored, reference probe <hex8> agrees",
			 "clock adjusted by <small>.<n> ms against <region>"},
		.alarm = {"battery at <percent>%, next report put off to save power, cell <hex8>",
			  "missed <small> heartbeats, last seen on gateway <hex8> <n> s ago",
			  "reading <count> is outside of 0..<n>, kept as suspect, probe <hex8>",
			  "auth handshake with the broker timed out after <ms> ms, joining again",
			  "flash page <count> unreadable, <n> samples were not kept"},
	},
	{
		.name = "trading",
		.percent = {15, 70, 10, 5},
		.layout = "<text> <symbol> <level> seq=<id> venue=<venue> lat_us=<ms>",
		.calm = {"order <hex8> <side> <count> @ <count>.<n> accepted, book depth <n>",
			 "fill <hex8> <side> <count> @ <count>.<n>, <small> left, fee <small>.<n>",
			 "quote refreshed bid=<count>.<n> ask=<count>.<n> spread=<small>",
			 "position marked: net <count>, exposure <count>.<n>, limit used "
			 "<percent>%",
			 "session snapshot <hex16> written, <count> orders open"},
		.alarm = {"order <hex8> rejected: limit of user <id> reached, <side> <count>",
			  "price <count>.<n> is off the band by <percent>%, quote withdrawn",
			  "gap in feed: <n> messages missing, recovery asked for",
			  "margin payment of <count>.<n> not confirmed for account <id>",
			  "kill switch armed for strategy <hex8> after <small> losses"},
	},
	{
		.name = "web access",
		.percent = {0, 82, 10, 8},
		.layout = "<ip4> - - <text> \"<agent>\" rt=0.<id> level=<level>",
		.calm = {"\"<verb> <path> HTTP/1.1\" <status_ok> <count>",
			 "\"<verb> <path>?page=<n> HTTP/1.1\" <status_ok> <count>",
			 "\"<verb> /static/<hex16>.css HTTP/1.1\" <status_ok> <count>",
			 "\"<verb> /user/<id>/orders HTTP/1.1\" <status_ok> <count>"},
		.alarm = {"\"<verb> /payment/<id> HTTP/1.1\" <status_bad> <n>",
			  "\"<verb> /auth/login HTTP/1.1\" <status_bad> <n>",
			  "\"<verb> /user/<id>/profile HTTP/1.1\" <status_bad> <n>",
			  "\"<verb> <path> HTTP/1.1\" <status_bad> <n> upstream=<ip4>:<port>"},
	},
	{
		.name = "payment",
		.percent = {5, 63, 17, 15},
		.layout = "<level> checkout <text> cart=<hex8> shop=<country>-<n>",
		.calm = {"payment <hex16> captured: <count>.<n> <currency>, card ending <port>",
			 "basket of user <id> priced: <small> items, <count>.<n> <currency>, tax "
			 "included",
			 "voucher <hex8> applied, <percent>% off <sku>",
			 "invoice <id> rendered in <ms> ms and queued for delivery",
			 "stock of <sku> set to <count> in warehouse <region>"},
		.alarm = {"payment <hex16> declined by issuer, code <small>, user <id> was told",
			  "second payment for order <id> held back, same key <hex16>",
			  "acquirer <venue> answered in <ms> ms, next route tried",
			  "3-D auth of user <id> abandoned after <n> s",
			  "refund <id> of <count>.<n> <currency> has no matching capture",
			  "webhook <topic> undeliverable, status <status_bad>, attempt <small>"},
	},
	{
		.name = "batch job",
		.percent = {0, 30, 30, 40},
		.layout = "<job> <level> stage=<stage> <text>",
		.calm = {"chunk <n>/64 loaded, <count> rows in <ms> ms, <count> bytes spilled",
			 "worker <small> took split <hex8> of <table>, <count> rows ahead",
			 "checkpoint <id> stored in <region>, can resume from offset <id>"},
		.alarm = {"row <id> of <table> has no user column, sent to the reject file",
			  "attempt <small> of 5 failed after <ms> ms: no route to <ip4>:<port>",
			  "out of scratch space: <count> bytes wanted, <count> left on <region>",
			  "payment ledger differs by <count>.<n> <currency> on account <id>",
			  "worker <small> lost with split <hex8>, <count> rows to be read again",
			  "service auth ticket expired <n> s ago, renewal gave <status_bad>"},
	},
	{
		.name = "structured",
		.percent = {10, 65, 15, 10},
		.layout = "\"level\":\"<level>\",\"service\":\"<service>\",\"region\":\"<region>\","
			  "\"message\":\"<text>\",\"duration_ms\":<ms>,\"trace\":\"<hex16>\"}",
		.calm = {"request served on <path>", "user <id> signed in from <country>",
			 "message <hex8> acknowledged on <topic>",
			 "feature flag set <hex8> refreshed",
			 "payment intent <id> created, <count> <currency>"},
		.alarm = {"auth provider slow, fell back to cached keys",
			  "queue <topic> is <count> deep",
			  "user <id> exceeded <n> calls in a minute",
			  "payment intent <id> expired unconfirmed",
			  "upstream <service> gave <status_bad> on <path>"},
	},
	{
		.name = "gateway",
		.percent = {0, 75, 15, 10},
		.layout = "<level> edge-<region> <verb> <path> -> <service>:<port> <text>",
		.other_layout = "\"level\":\"<level>\",\"edge\":\"<region>\",\"verb\":\"<verb>\","
				"\"path\":\"<path>\",\"peer\":\"<ip4>\",\"note\":\"<text>\"}",
		.calm = {"<status_ok> in <ms> ms, <count> bytes, connection reused <n> times",
			 "<status_ok> from cache, age <n> s, saved <count> bytes",
			 "<status_ok> streamed in <n> frames, <count> bytes"},
		.alarm = {"<status_bad> after <ms> ms, bucket of user <id> is empty",
			  "<status_bad>: auth header missing or stale, peer <ip4>",
			  "<status_bad> upstream reset after <n> frames",
			  "<status_bad> shed at <percent>% load, <count> requests queued"},
	},
};

static const struct slot slots[] = {
	{.name = "agent",
	 .words = WORDS("Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5", "okhttp/4.12",
			"Mozilla/5.0 (iPhone; CPU OS 17)", "Go-http-client/1.1")},
	{.name = "count", .low = 100, .high = 99999},
	{.name = "country", .words = WORDS("NO", "PT", "KE", "JP", "BR", "CA", "DE", "NZ")},
	{.name = "currency", .words = WORDS("EUR", "USD", "JPY", "NOK", "BRL")},
	{.name = "database", .words = WORDS("orders", "ledger", "catalog", "telemetry")},
	{.name = "device",
	 .words = WORDS("pump-11", "meter-204", "valve-7", "greenhouse-3", "turbine-19")},
	{.name = "hex16", .hex_digits = 16},
	{.name = "hex8", .hex_digits = 8},
	{.name = "id", .low = 100000, .high = 9999999},
	{.name = "job",
	 .words = WORDS("nightly-settle", "import-catalog", "rollup-hourly", "export-ledger")},
	{.name = "ms", .low = 1, .high = 1900},
	{.name = "n", .low = 10, .high = 64},
	{.name = "path",
	 .words = WORDS("/v1/orders", "/v1/catalog/search", "/v2/baskets", "/v1/shipments/track",
			"/v3/recommendations")},
	{.name = "percent", .low = 1, .high = 99},
	{.name = "port", .low = 1024, .high = 64000},
	{.name = "region", .words = WORDS("north-1", "south-2", "east-1", "west-3")},
	{.name = "rule", .words = WORDS("R-1042", "R-2210", "R-3307", "R-4981")},
	{.name = "sensor", .words = WORDS("inlet", "outlet", "ambient", "shaft")},
	{.name = "service",
	 .words = WORDS("orders", "shipping", "inventory", "pricing", "search", "mailer")},
	{.name = "side", .words = WORDS("BUY", "SELL")},
	{.name = "sku", .words = WORDS("SKU-88123", "SKU-10277", "SKU-55410", "SKU-70931")},
	{.name = "small", .low = 1, .high = 9},
	{.name = "stage", .words = WORDS("extract", "join", "aggregate", "load")},
	{.name = "status_bad", .words = WORDS("401", "403", "429", "500", "502", "503", "504")},
	{.name = "status_ok", .words = WORDS("200", "201", "204", "304")},
	{.name = "symbol", .words = WORDS("FJRD", "ALPN", "QRTZ", "BRCH", "TNDR")},
	{.name = "table",
	 .words = WORDS("orders", "line_items", "accounts", "shipments", "readings")},
	{.name = "topic",
	 .words = WORDS("order.created", "stock.changed", "parcel.sent", "price.updated")},
	{.name = "venue", .words = WORDS("XOSL", "XLIS", "XTKS")},
	{.name = "verb", .words = WORDS("GET", "POST", "PUT", "DELETE")},
};

const char *level_name(enum level level)
{
	static const char *const names[LEVELS] = {"DEBUG", "INFO", "WARN", "ERROR"};

	return names[level];
}

const struct flavour *flavour_of(int deployment)
{
	return &flavours[deployment % SCHEDULE_KINDS];
}

const struct slot *slot_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (strlen(slots[i].name) == length && !memcmp(slots[i].name, name, length))
			return &slots[i];
	return NULL;
}
