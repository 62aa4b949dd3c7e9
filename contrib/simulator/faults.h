/*
 * faults.h - the rules by which the simulator misbehaves.
 *
 * A rule is {"on", "do", "times", "skip", "model", "value"}. For each request the rules are tried
 * in order; a rule that matches first lets `skip` requests pass to the rules behind it, then is
 * used `times` times (0: always). All under sim.lock.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_FAULTS_H
#define KINOFS_CONTRIB_SIMULATOR_FAULTS_H

#include "contrib/simulator/sim.h"

enum fault_on {
	ON_CREATE,
	ON_POLL,
	ON_UPLOAD,
	ON_DOWNLOAD,
	ON_CREDIT,
	ON_CATALOGUE,
	FAULT_ONS,
};

enum fault_do {
	DO_NOTHING, /* no rule applies */
	DO_HTTP,
	DO_CODE,
	DO_RESET_BEFORE,
	DO_RESET_AFTER,
	DO_STALL,
	DO_DELAY,
	DO_TRUNCATE,
	DO_GARBAGE,
	DO_HTML,
	DO_HUGE,
	DO_REDIRECT,
	DO_FAIL,
	DO_EXPIRE,
	FAULT_DOS,
};

struct fault {
	enum fault_do what;
	double number;    /* value as a number, or 0 */
	const char *text; /* value as a string, or NULL; good until the rules are replaced */
};

extern const char *const fault_on_names[FAULT_ONS];

/* Replaces all rules by a JSON list. NULL, or a malloc'ed sentence and the old rules stay. */
char *faults_replace(const cJSON *list);
/* The same from a file. */
char *faults_load(const char *path);
/* What is to happen to this request; counts it. model NULL: it has none. */
struct fault faults_take(enum fault_on on, const char *model);
unsigned int faults_applied(void);
void faults_free(void);

#endif
