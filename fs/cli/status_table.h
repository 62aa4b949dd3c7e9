/* status_table.h - the table of kinofs status, and the line of totals under it. The main thread. */
#ifndef KINOFS_CLI_STATUS_TABLE_H
#define KINOFS_CLI_STATUS_TABLE_H

#include "fs/cli/screen.h"

#include <cjson/cJSON.h>
#include <stddef.h>

#define STATUS_STATES_MAX 16

/* The names of the states, static; how many. */
size_t status_names(const char *names[STATUS_STATES_MAX]);

/* Whether the job of a record has not ended. */
bool status_is_live(const cJSON *job);

struct status_counts {
	int running, waiting, held, failed;
};
struct status_counts status_count(const cJSON *jobs);

void status_print(FILE *out, const struct screen *screen, const cJSON *jobs);
/* One job that is waited for: its state, a bar and what is left of the usual time, its name. */
void status_print_progress(FILE *out, const struct screen *screen, const cJSON *job);
/* How many jobs are how far, and what was spent in this mount, if that may be read. */
void status_print_totals(FILE *out, const struct screen *screen, const char *mount,
	const struct status_counts *counts);

#endif
