/*
 * tally.h - the journal in a few numbers, for who watches kinofs. Any thread may
 * call; a view's lock inside. What was forgotten still counts, a refused order
 * does not, as for the caps. 0, or -EIO, logged.
 */
#ifndef KINOFS_JOURNAL_TALLY_H
#define KINOFS_JOURNAL_TALLY_H

#include <stddef.h>

struct view;

enum tally_period { TALLY_TODAY, TALLY_THIS_MONTH, TALLY_EVER }; /* of the local time */

#define TALLY_PROVIDERS 8

struct tally {
	const char *provider;   /* of the models; "unknown": of models whose files are gone */
	double orders, credits; /* really taken where known, else estimated */
};

struct tallies {
	struct tally item[TALLY_PROVIDERS];
	size_t count;
};

/* What was ordered in it, by provider. What was before this month is read once a month. */
int tally_orders(struct view *view, enum tally_period period, struct tallies *tallies);

/* Takes that have not ended, by model and state. each may not use the view. */
typedef void tally_each(void *context, const char *model, const char *state, double takes);
int tally_unfinished(struct view *view, tally_each *each, void *context);

#endif
