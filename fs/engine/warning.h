/*
 * warning.h - before a cap holds anything: once 80 % of one is used, a text for people says so,
 * which the host shows (host.h), until the day or the month is over or the cap is another. It
 * counts what the caps count (budget.h). Engine thread.
 */
#ifndef KINOFS_ENGINE_WARNING_H
#define KINOFS_ENGINE_WARNING_H

#include <stdbool.h>
#include <stdint.h>

struct engine;

struct warning {
	unsigned int
		changes; /* how often what was spent, or a cap, had changed by then (budget.h) */
	bool shown;
};

/* Tells the host if the text is another one. All that changed is committed. */
void warning_look(struct engine *engine);
/* When it may be over by itself, if there is one and that is before by_ms; else by_ms. Both
 * clock_steady_ms(). */
int64_t warning_ends_ms(const struct engine *engine, int64_t by_ms);

#endif
