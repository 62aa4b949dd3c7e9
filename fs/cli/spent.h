/* spent.h - sums of what .kinofs/spending tells of a month. Pure but for reading the file. */
#ifndef KINOFS_CLI_SPENT_H
#define KINOFS_CLI_SPENT_H

#include <cjson/cJSON.h>

/* Amounts are credits. */
struct spent {
	double orders, estimated, taken;
	double unsaid_orders, unsaid; /* of which the provider did not say what it took */
};

#define SPENT_MONTH_BYTES sizeof("2026-11")

/* This month, of the local time. */
void spent_this_month(char month[SPENT_MONTH_BYTES]);

/* A month of a mount, "2026-11"; the caller deletes it. NULL: there is none, or it may not be read.
 */
cJSON *spent_read(const char *mount, const char *month);

/* Credits to two decimals, for "%.10g". */
double spent_rounded(double credits);

void spent_add(struct spent *sum, const cJSON *order);
/* All of a month, or of one of its days. */
struct spent spent_of(const cJSON *month, const char *day);

#endif
